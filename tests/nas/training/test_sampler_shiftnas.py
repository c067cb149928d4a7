from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_training import convolutions, transformers

from nas.training.macs import MacsGenerator
from nas.training.samplers.shiftnas import ShiftNas, group_bounds
from nas.training.testing import a_draw, check_sampler
from search_spaces.errors import ConflictError, UsageError

SPACE = transformers()
COUNT = MacsGenerator(SPACE).count


def norms_of(by_group: list[float], sampler: ShiftNas):
    """Return gradient norms that depend on the group of a network alone."""
    return lambda genes: np.array(by_group)[np.searchsorted(sampler.bounds[:, 1], COUNT(genes))]


def group_of(genes, sampler: ShiftNas):
    return np.searchsorted(sampler.bounds[:, 1], COUNT(genes))


@pytest.mark.parametrize("given", [{}, {"num_groups": 1}, {"num_groups": 500, "networks_per_group": 3, "warmup": 0.0}])
def test_contract(given) -> None:
    check_sampler(ShiftNas, SPACE, num_draws=5, **given)


def test_groups_are_of_equal_width_in_log_macs_and_disjoint() -> None:
    bounds = group_bounds(np.array([100, 150, 390, 1100, 9000, 10000]), 4)
    assert bounds.tolist() == [[100, 150], [390, 390], [1100, 1100], [9000, 10000]]
    assert group_bounds(np.array([7, 7, 7]), 4).tolist() == [[7, 7]]
    assert group_bounds(np.array([1, 1000]), 3).tolist() == [[1, 1], [1000, 1000]]


@pytest.mark.parametrize("made", [convolutions(), transformers()])
def test_networks_lie_in_the_group_that_was_drawn_up_to_the_tolerance(made) -> None:
    sampler, count = ShiftNas(made, num_groups=4), MacsGenerator(made).count
    for group, (low, high) in enumerate(sampler.bounds):
        macs = count(sampler.of_groups(np.random.default_rng(group), np.full(100, group)))
        assert (macs >= 0.98 * low).all()
        assert (macs <= 1.02 * high).all()
        requests = sampler.requests(np.random.default_rng(0), np.full(100, group))
        assert (requests >= low).all()
        assert (requests <= high).all()


def test_probabilities_are_even_until_something_is_measured_and_before_the_warm_up_ends() -> None:
    sampler = ShiftNas(SPACE, num_groups=4, warmup=0.5, temperature=0.05, floor=0.0)
    assert sampler.probabilities == pytest.approx(np.full(4, 0.25))
    sampler.measure(norms_of([1.0, 1.0, 1.0, 9.0], sampler))
    assert sampler.probabilities[3] > 0.999
    before = group_of(sampler.draw(a_draw(0, 400, progress=0.49)), sampler)
    after = group_of(sampler.draw(a_draw(0, 400, progress=0.5)), sampler)
    assert (np.bincount(before, minlength=4) > 60).all()
    assert (after == 3).mean() > 0.9


def test_groups_with_larger_gradients_come_up_more() -> None:
    sampler = ShiftNas(SPACE, num_groups=4)
    for _ in range(3):
        sampler.measure(norms_of([4.0, 3.0, 2.0, 1.0], sampler))
    assert (np.diff(sampler.probabilities) < 0).all()


def test_the_moving_average_starts_at_the_first_measurement() -> None:
    sampler = ShiftNas(SPACE, num_groups=2, momentum=0.75, networks_per_group=2)
    sampler.measure(lambda genes: np.array([1.0, 3.0, 5.0, 7.0]))
    assert sampler.sufficiency.tolist() == [2.0, 6.0]
    sampler.measure(lambda genes: np.array([4.0, 8.0, np.nan, 7.0]))
    assert sampler.sufficiency.tolist() == [3.0, 6.0], "a norm that is not finite is left out"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0, 1e12), min_size=2, max_size=2),
    st.floats(1e-3, 100),
    st.floats(0, 1),
)
def test_probabilities_sum_to_one_and_keep_their_floor(norms, temperature, floor) -> None:
    sampler = SAMPLER
    sampler.settings = sampler.settings.model_copy(update={"temperature": temperature, "floor": floor})
    sampler.sufficiency = np.array(norms)
    found = sampler.probabilities
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert (found >= floor / 2 - 1e-12).all()


SAMPLER = ShiftNas(SPACE, num_groups=2)


def test_a_state_of_other_groups_is_refused() -> None:
    with pytest.raises(ConflictError, match="state of sampler 'shiftnas' has 2 groups, these settings make 4"):
        ShiftNas(SPACE, num_groups=4).load(ShiftNas(SPACE, num_groups=2).state())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_groups": 0}, "sampler 'shiftnas', setting 'num_groups' got 0: .* greater than or equal to 1"),
        ({"temperature": 0.0}, "'temperature' got 0.0: .* greater than 0"),
        ({"floor": 1.5}, "'floor' got 1.5: .* less than or equal to 1"),
        ({"groups": 3}, "unknown setting of sampler 'shiftnas' 'groups': did you mean 'num_groups'"),
    ],
)
def test_bad_settings_are_named(given, message) -> None:
    with pytest.raises(UsageError, match=message):
        ShiftNas(SPACE, **given)
