from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tuning_plans import tiny_plan

from experiments import tuning
from experiments.store.store import Store
from experiments.talk import Talk
from experiments.tuning import TuningPlan, tune
from search_spaces.errors import ConflictError, UsageError

pytest.importorskip("optuna")


def invented_trial(config: Any, folder: Path, report: Any) -> dict[str, Any]:
    """Stand in for training: best at a learning rate of 0.01 with adamw."""
    rate, optimiser = config.training.learning_rate, config.training.optimiser
    end = 90 - 1000 * abs(rate - 0.01) - 5 * (optimiser == "sgd")
    scores: list[float] = []
    for number in range(1, 10):
        scores.append(end * number / 9)
        if report(number, scores[-1]) and number < 9:
            return {"state": "stopped", "scores": scores}
    return {"state": "complete", "scores": scores}


def run(plan: TuningPlan, folder: Path) -> dict[str, Any]:
    with Store.open(str(folder / "nas.db")) as store:
        return tune(plan, store, folder, Talk(quiet=True))


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "run_trial", invented_trial)


@pytest.mark.usefixtures("no_training")
def test_the_best_values_are_found_and_the_worse_trials_stopped(tmp_path: Path) -> None:
    found = run(tiny_plan(trials=30), tmp_path)
    assert found["trials"] == len(found["all"]) == 30
    assert found["best"]["values"]["training.optimiser"] == "adamw"
    assert found["best"]["score"] > 80
    assert found["options"].startswith("--set training.learning_rate=")
    states = [row["state"] for row in found["all"]]
    assert {"complete", "stopped"} == set(states)
    assert states.count("stopped") > 10


@pytest.mark.usefixtures("no_training")
def test_tuning_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    at_once = run(tiny_plan(trials=12), tmp_path / "one")
    run(tiny_plan(trials=5), tmp_path / "two")
    assert run(tiny_plan(trials=12), tmp_path / "two") == at_once


@pytest.mark.usefixtures("no_training")
def test_other_ranges_under_the_same_name_are_a_conflict(tmp_path: Path) -> None:
    run(tiny_plan(), tmp_path)
    with pytest.raises(ConflictError, match="epochs"):
        run(tiny_plan(epochs=2), tmp_path)


def test_real_trials_train_and_leave_no_checkpoints(tmp_path: Path) -> None:
    found = run(tiny_plan(), tmp_path)
    assert found["trials"] == 2
    assert all(0 <= row["score"] <= 100 for row in found["all"])
    assert not list((tmp_path / "tiny" / "tuning").iterdir())


@pytest.mark.parametrize("settings", [{"trials": 0}, {"epochs": 0}])
def test_nothing_to_try_is_an_error(tmp_path: Path, settings: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="give at least 1 of each"):
        run(tiny_plan(**settings), tmp_path)


def test_a_missing_package_is_named_with_the_install_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"optuna is not installed: run pip install 'nas\[tune\]'"):
        run(tiny_plan(), tmp_path)


@pytest.mark.slow
def test_trials_on_ray_are_rows_too_and_go_on(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    first = run(tiny_plan(trials=1), tmp_path)
    found = run(tiny_plan(trials=3, ray="local"), tmp_path)
    assert found["trials"] == 3
    assert first["all"][0] in found["all"]
    assert all(set(tiny_plan().ranges) < set(row) for row in found["all"])


@pytest.mark.parametrize("address", ["127.0.0.1:1", "somewhere", "nowhere:port"])
def test_an_address_where_no_cluster_answers_is_an_error(tmp_path: Path, address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match=f"--ray got '{address}': .*give local, or the address of a running cluster"):
        run(tiny_plan(ray=address), tmp_path)
