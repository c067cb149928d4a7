from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import equal_compute
from experiments.equal_compute import Run, judged_networks, make_space, num_steps, step_images, train_and_judge
from search_spaces.errors import UsageError

RUN = Run("uniform", 2, 0.01, batch=16, network_images=96, seed=0, split="validation")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, fashion_folder: Path) -> str:
    monkeypatch.setattr(equal_compute, "NUM_JUDGED", 4)
    monkeypatch.setattr(equal_compute, "NUM_IMAGES", 30)
    monkeypatch.setattr(equal_compute, "NUM_TRAINING", 300)
    monkeypatch.setattr(equal_compute, "NUM_CALIBRATION", 30)
    equal_compute.load_images.cache_clear()
    return str(fashion_folder)


@pytest.mark.parametrize("sampler", ["uniform", "sorted", "sandwich"])
def test_the_compute_that_was_paid_for_is_what_passes(small: str, sampler: str) -> None:
    run = replace(RUN, sampler=sampler)
    found = train_and_judge((run, small))
    assert found["num_steps"] == 3
    assert (found["forward_backward_images"], found["forward_images"]) == (96, 0)
    assert 0.1 < found["mmacs_an_image"] < 4
    assert len(found["accuracies"]) == 4
    assert found["accuracies"][:2] == [found["smallest_accuracy"], found["largest_accuracy"]]
    assert 0 <= found["hypervolume"] <= 1


def test_the_same_run_gives_the_same_result_and_the_splits_differ(small: str) -> None:
    first, again = (train_and_judge((RUN, small)) for _ in range(2))
    first.pop("seconds")
    again.pop("seconds")
    assert first == again
    other = train_and_judge((replace(RUN, split="test"), small))
    assert len(other["accuracies"]) == 4


def test_what_a_sampler_looks_at_costs_steps() -> None:
    space = make_space(1, 10)
    assert step_images(replace(RUN, sampler="uniform"), space) == 2 * 16
    assert step_images(replace(RUN, sampler="shiftnas"), space) > 2 * 16
    attentive = replace(RUN, sampler="attentive", networks_per_step=4)
    assert step_images(attentive, space) > 4 * 16
    many = replace(RUN, sampler="shiftnas", network_images=100_000)
    assert num_steps(many, space) < num_steps(replace(many, sampler="uniform"), space)


def test_less_compute_than_a_step_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"network_images got 31: one step of uniform, .* takes 32"):
        num_steps(replace(RUN, network_images=31), make_space(1, 10))


def test_the_judged_networks_are_fixed_and_hold_both_ends() -> None:
    space = make_space(1, 10)
    genes = judged_networks(space)
    assert np.array_equal(genes, judged_networks(make_space(1, 10)))
    assert len(genes) == 50
    assert space.decode(genes[:2]) == [space.smallest(), space.largest()]
