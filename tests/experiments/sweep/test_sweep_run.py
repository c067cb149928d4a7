from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tiny_sweep import invented_study, tiny_plan, write_config

from experiments.store.store import Store
from experiments.sweep import run
from experiments.sweep.plan import SweepPlan
from experiments.sweep.run import sweep
from experiments.talk import Talk
from search_spaces.errors import ConflictError, StorageError, UsageError

QUIET = Talk(quiet=True)
SEEDS = "seed=0,1"


def swept(folder: Path, plan: SweepPlan, **settings: Any) -> dict[str, Any]:
    return sweep(plan, str(folder / "nas.db"), folder, QUIET, **settings)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of studies in the order in which they run; none is trained."""
    names: list[str] = []

    def note(config: Any, *arguments: Any, **settings: Any) -> None:
        names.append(config.name)
        invented_study(config, *arguments, **settings)

    monkeypatch.setattr(run, "run_study", note)
    return names


def test_every_combination_is_a_study_of_the_same_store(tmp_path: Path, ran: list[str]) -> None:
    found = swept(tmp_path, tiny_plan(tmp_path, SEEDS))
    assert ran == [row["study"] for row in found["studies"]] == ["tiny-seed-0", "tiny-seed-1"]
    with Store.open(str(tmp_path / "nas.db")) as store:
        assert [(each.name, each.seed, each.state) for each in store.studies()] == [
            ("tiny-seed-0", 0, "done"),
            ("tiny-seed-1", 1, "done"),
        ]


def test_the_same_call_runs_what_is_missing_alone(tmp_path: Path, ran: list[str]) -> None:
    first = swept(tmp_path, tiny_plan(tmp_path, SEEDS))
    assert swept(tmp_path, tiny_plan(tmp_path, SEEDS)) == first
    swept(tmp_path, tiny_plan(tmp_path, "seed=0,1,2"))
    assert ran == ["tiny-seed-0", "tiny-seed-1", "tiny-seed-2"]


def test_a_study_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = swept(tmp_path, tiny_plan(tmp_path, "training.learning_rate=0.1,9.0,0.2"))
    assert len(ran) == 3
    assert [row["state"] for row in found["studies"]] == ["done", "failed", "done"]
    assert found["studies"][1]["reason"] == "the training diverged at step 1: lower the learning rate"
    assert found["unfinished"] == ["tiny-learning_rate-9.0"]
    assert "study 'tiny-learning_rate-9.0' did not finish: the training diverged" in capsys.readouterr().err


@pytest.mark.parametrize("error", [UsageError("no such folder"), ZeroDivisionError("x")])
def test_one_that_fails_before_it_is_stored_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(run, "run_study", fail)
    found = swept(tmp_path, tiny_plan(tmp_path, SEEDS))
    assert [row["state"] for row in found["studies"]] == ["failed", "failed"]
    assert all(str(error) in row["reason"] for row in found["studies"])
    assert [row["seeds"] for row in found["strategies"]] == [0]


def test_a_database_or_disk_that_fails_ends_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(run, "run_study", fail)
    with pytest.raises(StorageError, match="the disk is full"):
        swept(tmp_path, tiny_plan(tmp_path, SEEDS))


def test_a_name_of_another_study_is_a_conflict_before_anything_runs(tmp_path: Path, ran: list[str]) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        store.study("tiny-seed-1", {"epochs": 9}, seed=1)
    with pytest.raises(ConflictError, match="study 'tiny-seed-1' has other settings"):
        swept(tmp_path, tiny_plan(tmp_path, SEEDS))
    assert ran == []
    with Store.open(str(tmp_path / "nas.db")) as store:
        assert [each.name for each in store.studies()] == ["tiny-seed-1"]


def test_a_study_that_another_runner_holds_is_waited_for(
    tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "POLL_S", 0.05)
    plan = tiny_plan(tmp_path, SEEDS)
    held = plan.combinations[0].config
    with Store.open(str(tmp_path / "nas.db")) as store:
        study = store.study(held.name, held.model_dump(mode="json"), seed=held.seed)
        study.take("another")
        thread = threading.Thread(target=lambda: swept(tmp_path, plan))
        thread.start()
        time.sleep(0.5)
        assert ran == []
        study.release("interrupted")
        thread.join(60)
    assert ran == ["tiny-seed-0", "tiny-seed-1"]


def test_timing_on_a_device_that_is_here_is_warned_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for measure in ("true", "false"):
        plan = tiny_plan(
            tmp_path, SEEDS, overrides=[f"latency.measure={measure}", "latency.targets=['cpu:fp32:b1','h100:bf16:b1']"]
        )
        run._warn_of_timing([each.config for each in plan.combinations], QUIET)
    [line] = capsys.readouterr().err.splitlines()
    assert "timing on cpu:fp32:b1: measure it once with nas calibrate" in line


def results(folder: Path, plan: SweepPlan) -> list[tuple[bytes, dict[str, Any], dict[str, Any]]]:
    """Return the front and the rows of training and search of every study."""
    with Store.open(str(folder / "nas.db"), readonly=True) as store:
        studies = [store.load(each.config.name) for each in plan.combinations]
        return [
            ((folder / each.name / "front.json").read_bytes(), each.done("training"), each.done("evaluation"))
            for each in studies
        ]


def killed(folder: Path, num_finished: Callable[[], int], *options: str) -> None:
    """Begin the sweep over seeds by the command, and kill it once more than so many evaluations are finished."""
    command = [sys.executable, "-m", "experiments", "-q", "sweep", str(write_config(folder)), "--vary", SEEDS]
    query = "SELECT COUNT(*) FROM work WHERE kind = 'evaluation' AND sequence IS NOT NULL"
    with subprocess.Popen([*command, "--out", str(folder), *options], stderr=subprocess.PIPE, text=True) as process:
        while True:
            try:
                with closing(sqlite3.connect(f"file:{folder / 'nas.db'}?mode=ro", uri=True, timeout=30)) as database:
                    if database.execute(query).fetchone()[0] > num_finished():
                        break
            except sqlite3.OperationalError:
                # It is not made yet.
                assert process.poll() is None, process.communicate()
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
        process.kill()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SweepPlan, dict[str, Any]]:
    """A real sweep of two studies in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    plan = tiny_plan(folder, SEEDS)
    return folder, plan, swept(folder, plan)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_sweep_that_is_killed_goes_on_and_ends_the_same(
    undisturbed: tuple[Path, SweepPlan, dict[str, Any]], tmp_path: Path
) -> None:
    folder, plan, found = undisturbed
    whole = results(folder, plan)
    killed(tmp_path, lambda: len(whole[0][2]) + 1)
    with Store.open(str(tmp_path / "nas.db"), readonly=True) as store:
        first, second = (each.state for each in store.studies())
    assert (first, second) == ("done", "interrupted")
    assert swept(tmp_path, plan) == found
    assert results(tmp_path, plan) == whole


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_on_ray_killed_and_begun_again_it_ends_the_same(
    undisturbed: tuple[Path, SweepPlan, dict[str, Any]], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    folder, plan, found = undisturbed
    killed(tmp_path, lambda: 2, "--ray", "local")
    assert swept(tmp_path, plan, ray="local") == found
    assert results(tmp_path, plan) == results(folder, plan)
