from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import equal_compute
from experiments.benchmarks import benchmarks, samplers
from experiments.equal_compute import Run
from search_spaces.errors import UsageError

VOLUMES = {"uniform": 0.6, "sorted": 0.7, "sandwich": 0.5}
calls: list[Run] = []


def invented(job: tuple[Run, str]) -> dict[str, Any]:
    """Stand in for training: best at learning rate 0.01, then at two networks a step."""
    run, _ = job
    calls.append(run)
    volume = VOLUMES[run.sampler] + 0.01 * (run.learning_rate == 0.01) + 0.02 * (run.networks_per_step == 2)
    accuracies = dict.fromkeys(("smallest_accuracy", "mean_accuracy", "largest_accuracy"), 80.0)
    passed = {"num_steps": 3, "forward_backward_images": 9, "forward_images": 0, "mmacs_an_image": 1.0, "seconds": 2.0}
    return {"hypervolume": volume + 0.001 * run.seed, **accuracies, **passed}


def bench(folder: Path, **settings: Any) -> dict[str, Any]:
    given = {"samplers": "uniform,sorted", "learning_rates": "0.001,0.01", "networks_per_step": "4,2", "processes": 1}
    return benchmarks.get("samplers")(folder, folder, **{**given, **settings})


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    monkeypatch.setattr(samplers, "train_and_judge", invented)


def test_each_sampler_is_tuned_and_the_winner_is_ahead_in_every_seed(tmp_path: Path) -> None:
    found = bench(tmp_path)
    assert found["winner"] == "sorted"
    assert found["exceeds_spread"] == {"uniform": True}
    for row in found["samplers"]:
        assert (row["learning_rate"], row["networks_per_step"]) == (0.01, 2)
    behind = {row["sampler"]: row["behind"] for row in found["samplers"]}
    assert behind == {"sorted": 0.0, "uniform": 0.1}
    assert len(found["tuning"]) == 2 * (2 + 1)
    assert len(found["runs"]) == 2 * 3
    tuned = {run.split for run in calls if run.seed == samplers.TUNING_SEED}
    judged = {run.split for run in calls if run.seed != samplers.TUNING_SEED}
    assert (tuned, judged) == ({"validation"}, {"test"})


def test_what_is_finished_is_not_trained_again(tmp_path: Path) -> None:
    bench(tmp_path, seeds=1)
    before = len(calls)
    assert bench(tmp_path, seeds=1)["winner"] == "sorted"
    assert len(calls) == before
    bench(tmp_path, seeds=2)
    assert len(calls) == before + 2


def test_a_sandwich_keeps_a_random_network(tmp_path: Path) -> None:
    found = bench(tmp_path, samplers="sandwich", networks_per_step="4,2,1")
    assert {row["networks_per_step"] for row in found["tuning"]} == {4, 3}


def test_a_difference_within_the_spread_is_said_to_be_none() -> None:
    assert not samplers.behind(np.array([0.01, 0.09, -0.02]))["exceeds_spread"]
    assert not samplers.behind(np.array([0.01, 0.2, 0.01]))["exceeds_spread"]
    assert samplers.behind(np.array([0.05, 0.06, 0.05]))["exceeds_spread"]
    assert samplers.behind(np.array([0.05])) == {"behind": 0.05, "behind_sd": None, "exceeds_spread": False}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rates": "fast"}, "learning_rates got 'fast': give float values separated by commas"),
        ({"samplers": ""}, "samplers got '': give at least one, each once"),
        ({"networks_per_step": "2,2"}, "networks_per_step got '2,2': give at least one, each once"),
        ({"seeds": 0}, "seeds 0.*give at least 1 of each"),
    ],
)
def test_settings_that_compare_nothing_are_an_error(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench(tmp_path, **settings)


@pytest.mark.slow
def test_two_processes_do_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(__file__).parents[4] / "shared" / "data" / "fashion-mnist"
    if not data.exists():
        pytest.skip("Fashion-MNIST is not at ../shared/data/fashion-mnist")
    monkeypatch.setattr(samplers, "train_and_judge", equal_compute.train_and_judge)
    found = [
        benchmarks.get("samplers")(
            tmp_path / str(processes), data, "uniform", "0.01", "2", 640, 320, seeds=2, processes=processes
        )["runs"]
        for processes in (1, 2)
    ]
    assert found[0] == found[1]
