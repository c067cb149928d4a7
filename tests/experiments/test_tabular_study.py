from __future__ import annotations

import json
from pathlib import Path

import pytest
from tabular_jobs import submit, tabular

from experiments.job import run_job
from experiments.store.store import Store
from experiments.stored_front import stored_front
from experiments.tabular_study import make_tabular_config
from experiments.talk import Talk
from search_spaces.errors import UsageError

QUIET = Talk(quiet=True)


def front(out: Path, name: str) -> list[object]:
    content = json.loads((out / name / "front.json").read_text())
    assert content["evaluations"] == 24
    return list(content["front"])


def test_a_study_that_was_interrupted_anywhere_ends_in_the_same_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        whole, broken = submit(store, "whole"), submit(store, "broken")
        run_job(whole, tmp_path, QUIET, "r")
        finish = broken.finish
        for stop_after in (1, 10, 9):
            left = stop_after

            def finish_some(*args: object) -> None:
                nonlocal left
                finish(*args)  # type: ignore[arg-type]
                left -= 1
                if not left:
                    raise KeyboardInterrupt

            monkeypatch.setattr(broken, "finish", finish_some)
            with pytest.raises(KeyboardInterrupt):
                run_job(broken, tmp_path, QUIET, "r")
            assert broken.state == "queued"
        monkeypatch.setattr(broken, "finish", finish)
        run_job(broken, tmp_path, QUIET, "r")
        assert front(tmp_path, "broken") == front(tmp_path, "whole")
        assert len(broken.done("evaluation")) == 24
        assert set(broken.attempts("evaluation").values()) == {1}
        assert [artifact.name for artifact in broken.artifacts()] == ["front.json"]


def test_the_front_of_the_rows_is_that_of_the_file(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        study = submit(store, "a")
        run_job(study, tmp_path, QUIET, "r")
        found = stored_front(study)
        assert [objective.name for objective in found.objectives] == ["accuracy", "latency_ms@made"]
        keys = study.architectures_of(found.sequences[found.mask].tolist())
        rows = {
            (keys[sequence][0], *values)
            for sequence, values in zip(found.sequences[found.mask], found.values[found.mask].tolist(), strict=True)
        }
        assert rows == {tuple(row.values()) for row in front(tmp_path, "a")}  # type: ignore[attr-defined]
        assert stored_front(study, ["latency_ms@made"]).mask.sum() == 1
        with pytest.raises(UsageError, match="unknown stored objective 'macs'"):
            stored_front(study, ["macs"])


def test_a_study_without_rows_has_no_front(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store, pytest.raises(UsageError, match="has no evaluation"):
        stored_front(submit(store, "a"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": {"source": "x"}}, "table.source"),
        ({"tabel": {}}, "unknown key 'tabel'"),
        ({"search": {"algorithm": "nsga"}}, "unknown search algorithm 'nsga'"),
        ({"search": {"settings": {"x": 1}}}, "settings.x"),
        ({"name": "../up"}, "name"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_tabular_config({**tabular("a"), **change}, "cells.toml")
