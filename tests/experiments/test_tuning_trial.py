from __future__ import annotations

from pathlib import Path

from tuning_plans import tiny_config

from experiments.config import StudyConfig
from experiments.tuning_ranges import with_values
from experiments.tuning_trial import NUM_REPORTS, run_trial


def one_epoch() -> StudyConfig:
    return with_values(tiny_config(), {"training.epochs": 2})


def test_a_trial_reports_scores_and_goes_on_from_its_checkpoints(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    found = run_trial(one_epoch(), tmp_path, lambda number, score: bool(told.append((number, score))))
    assert found["state"] == "complete"
    assert 4 <= len(found["scores"]) <= NUM_REPORTS
    assert told == list(enumerate(found["scores"], start=1))
    assert all(0 <= score <= 100 for score in found["scores"])
    again: list[tuple[int, float]] = []
    assert run_trial(one_epoch(), tmp_path, lambda number, score: bool(again.append((number, score)))) == found
    assert again == told


def test_a_trial_that_is_told_to_stop_does(tmp_path: Path) -> None:
    found = run_trial(one_epoch(), tmp_path, lambda number, _: number == 2)
    assert (found["state"], len(found["scores"])) == ("stopped", 2)


def test_a_training_that_diverges_scores_nothing(tmp_path: Path) -> None:
    wild = with_values(
        one_epoch(),
        {"training.optimiser": "sgd", "training.learning_rate": 1e30, "training.max_gradient_norm": 1e30},
    )
    found = run_trial(wild, tmp_path, lambda *_: False)
    assert found["state"] == "diverged"
    assert found["scores"][-1] == 0.0
    assert "diverged" in found["reason"]
