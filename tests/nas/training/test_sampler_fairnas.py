from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_training import convolutions, knobs_only

from nas.training.samplers.fairnas import FairNas, deal
from nas.training.testing import a_draw
from search_spaces.spaces import space

CELLS = space("nb201")


def counts(genes, column: int, num_choices: int) -> np.ndarray:
    return np.bincount(genes[genes[:, column] >= 0, column], minlength=num_choices)


@pytest.mark.parametrize("num", [5, 10, 15])
def test_strict_fairness_where_the_networks_are_a_multiple_of_the_choices(num) -> None:
    """The paper's case: the six edges of a cell have five operators each."""
    sampler = FairNas(CELLS)
    for seed in range(20):
        genes = sampler.draw(a_draw(seed, num))
        for column, choices in enumerate(CELLS.num_choices.tolist()):
            assert counts(genes, column, choices).tolist() == [num // choices] * choices


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_counts_of_a_step_differ_by_one_at_most_among_the_networks_that_have_the_knob(seed, num) -> None:
    for made in (KNOBS, CONVOLUTIONS):
        genes = FairNas(made).draw(a_draw(seed, num))
        for column, choices in enumerate(made.num_choices.tolist()):
            found = counts(genes, column, choices)
            assert found.max() - found.min() <= 1


KNOBS, CONVOLUTIONS = knobs_only(), convolutions()


def test_counts_are_equal_on_average_where_they_can_not_be_in_a_step() -> None:
    genes = np.concatenate([FairNas(KNOBS).draw(a_draw(seed, 2)) for seed in range(3000)])
    found = counts(genes, KNOBS.column["width"], 4)
    assert found.sum() == 6000
    assert found == pytest.approx([1500] * 4, rel=0.07)


def test_knobs_are_dealt_independently() -> None:
    genes = np.concatenate([FairNas(CELLS).draw(a_draw(seed, 5)) for seed in range(2000)])
    edges = [index for index, num in enumerate(CELLS.num_choices) if num == 5][:2]
    pairs = np.bincount(5 * genes[:, edges[0]] + genes[:, edges[1]], minlength=25)
    assert pairs == pytest.approx([400] * 25, rel=0.2)


@pytest.mark.parametrize(("num_choices", "num", "expected"), [(3, 0, []), (1, 4, [0, 0, 0, 0])])
def test_deal_at_its_limits(num_choices, num, expected) -> None:
    assert deal(np.random.default_rng(0), num_choices, num).tolist() == expected
