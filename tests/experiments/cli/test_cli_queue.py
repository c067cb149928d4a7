"""study submit, pause, resume, stop, cancel, change, tag, note, compare, events; template; runner."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from nas_command import Nas

CONFIG = """
name = "cells"

[table]

[search]
evaluations = 12
settings = { num_initial = 8, num_offspring = 4 }
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cells.toml"
    path.write_text(CONFIG)
    return path


def states(nas: Nas) -> dict[str, str]:
    return {row["name"]: row["state"] for row in nas("study", "list", "--json").data}


def test_the_queue_from_submit_to_done(nas: Nas, config: Path) -> None:
    assert "study 'cells' is queued" in nas("study", "submit", config, "--tag", "toy", "--note", "first").out
    nas("study", "submit", config, "--name", "2024", "--priority", 3, "--max-evaluations", 5)
    nas("study", "submit", config, "--name", "later", "--set", "seed=1")
    assert "'cells' is paused" in nas("study", "pause", "cells").out
    assert "'cells' is queued" in nas("study", "resume", "cells").out
    assert "'later' is cancelled" in nas("study", "cancel", "later").out
    assert nas("study", "cancel", "later", code=3).error.startswith("nas: study 'later' is cancelled: cancel is for")
    assert "2 studies ran" in nas("runner", "--until-empty").out
    assert states(nas) == {"cells": "done", "2024": "stopped", "later": "cancelled"}
    [row] = nas("study", "list", "--tag", "toy", "--json").data
    assert (row["name"], row["num_evaluations"], row["note"]) == ("cells", 12, "first")
    told = [row["event"] for row in nas("study", "events", "cells", "--json").data]
    assert told == ["submit", "pause", "resume", "running", "done"]
    text = nas("study", "list", "--state", "stopped").out
    assert "its budget of 5 evaluations is spent" in text
    assert "cells" not in text


@pytest.mark.parametrize("processes", [1, 2])
def test_a_runner_tells_its_callbacks(nas: Nas, config: Path, tmp_path: Path, processes: int) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed: pip install 'nas[tensorboard]'")
    nas("study", "submit", config)
    assert "did you mean 'tensorboard'" in nas("runner", "--callback", "tensorbord", code=2).error
    assert states(nas) == {"cells": "queued"}
    nas("runner", "--until-empty", "--callback", "tensorboard", "--processes", processes)
    assert states(nas) == {"cells": "done"}
    [path] = (tmp_path / "runs" / "cells" / "tensorboard").iterdir()
    assert path.read_bytes().count(b"evaluation/accuracy") == 12


def test_studies_from_templates_are_compared(nas: Nas, config: Path) -> None:
    nas("template", "save", "small", config, "--set", "search.evaluations=10", "--note", "n")
    assert [row["name"] for row in nas("template", "list", "--json").data] == ["small"]
    for seed in (0, 1):
        nas("study", "submit", "--template", "small", "--name", f"s{seed}", "--set", f"seed={seed}")
        nas("study", "run", f"s{seed}")
    found = nas("study", "compare", "s0", "s1", "--json").data
    assert found["settings_that_differ"] == ["seed: s0: 0, s1: 1"]
    assert [side["evaluations"] for side in found["studies"]] == [10, 10]
    assert "hypervolume" in nas("study", "compare", "s0", "s1").out
    nas("template", "delete", "small")
    assert "unknown template 'small'" in nas("study", "submit", "--template", "small", code=2).error


def test_priority_budget_tags_and_note_are_changed(nas: Nas, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nas("study", "submit", config)
    nas("study", "change", "cells", "--priority", 7, "--max-hours", 1.5)
    nas("study", "tag", "cells", "a", "b")
    nas("study", "tag", "cells", "a", "--remove")
    monkeypatch.setattr("sys.stdin", io.StringIO("two\nlines"))
    nas("study", "note", "cells", "-")
    [row] = nas("study", "list", "--json").data
    assert (row["priority"], row["max_hours"], row["tags"], row["note"]) == (7, 1.5, ["b"], "two\nlines")
    nas("study", "change", "cells", "--unlimited")
    assert nas("study", "list", "--json").data[0]["max_hours"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["study", "submit"], 2, "give one of them"),
        (["study", "submit", "cells.toml", "--template", "t"], 2, "give one of them"),
        (["study", "submit", "cells.toml"], 3, "is queued"),
        (["study", "submit", "cells.toml", "--name", "x", "--max-hours", "-1"], 2, "the budget max_hours got -1"),
        (["study", "submit", "cells.toml", "--name", "x", "--tag", " t"], 2, "tag name ' t'"),
        (["study", "submit", "cells.toml", "--name", "x", "--priority", "10000000"], 2, "priority 10000000"),
        (["study", "resume", "cells"], 3, "resume is for paused"),
        (["study", "pause", "cels"], 2, "'cells'"),
        (["study", "change", "cells", "--max-hours", "1", "--unlimited"], 2, "give one of them"),
        (["study", "compare", "cells", "cells"], 2, "has no evaluation"),
        (["runner", "--processes", "0"], 2, "--processes got 0"),
    ],
)
def test_what_can_not_be_is_one_line(nas: Nas, config: Path, arguments: list[str], code: int, names: str) -> None:
    nas("study", "submit", config)
    assert names in nas(*arguments, code=code).error
    assert states(nas) == {"cells": "queued"}


def test_what_leaves_a_study(nas: Nas, config: Path, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    nas("study", "submit", config)
    nas("study", "run", "cells")
    for form, read in (("csv", pd.read_csv), ("json", pd.read_json), ("parquet", pd.read_parquet)):
        path = tmp_path / f"table.{form}"
        assert nas("study", "frame", "cells", "--format", form, "--to", path, "--wide").out == ""
        table = read(path)
        assert list(table.columns) == ["sequence", "accuracy", "latency_ms@made"]
        assert len(table) == 12
    assert "give a file with --to" in nas("study", "frame", "cells", "--format", "parquet", code=2).error
    assert "12 trials" in nas("study", "optuna", "cells", "--to", f"sqlite:///{tmp_path}/o.db").out
    (tmp_path / "runs" / "cells" / "checkpoints").mkdir()
    (tmp_path / "runs" / "cells" / "checkpoints" / "x").write_text("12345")
    assert nas("study", "prune", "--json").data == []
    [row] = nas("study", "prune", "cells", "--older-than", 0, "--json").data
    assert (row["study"], row["bytes"]) == ("cells", 5)
    assert Path(row["path"]).exists()
    nas("study", "prune", "--older-than", 0, "--yes")
    assert not Path(row["path"]).exists()
    assert "unknown study 'x'" in nas("study", "prune", "x", code=2).error
