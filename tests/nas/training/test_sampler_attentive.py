from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_training import convolutions, transformers

from nas.training.macs import TOLERANCE, MacsGenerator
from nas.training.samplers.attentive import Attentive
from nas.training.testing import a_draw, check_sampler
from search_spaces.errors import UsageError


@pytest.mark.parametrize("given", [{"mode": "best"}, {"mode": "worst", "candidates": 5}, {"candidates": 1}])
def test_contract(given) -> None:
    check_sampler(Attentive, convolutions(), num_draws=5, **given)


@pytest.mark.parametrize("mode", ["best", "worst"])
def test_the_candidate_of_lowest_or_highest_loss_is_trained_among_networks_of_like_cost(mode) -> None:
    made = transformers()
    seen = []

    def losses(genes):
        seen.append((genes, np.random.default_rng(len(genes)).random(len(genes))))
        return seen[-1][1]

    drawn = Attentive(made, mode=mode, candidates=4).draw(replace(a_draw(3, 7), losses=losses))
    [(genes, values)] = seen
    assert made.decode(drawn[:2]) == [made.largest(), made.smallest()]
    count = MacsGenerator(made).count
    for number in range(5):
        of_one = slice(4 * number, 4 * number + 4)
        best = values[of_one].argmin() if mode == "best" else values[of_one].argmax()
        assert np.array_equal(drawn[2 + number], genes[of_one][best])
        macs = count(genes[of_one])
        assert macs.max() <= macs.min() * (1 + TOLERANCE) / (1 - TOLERANCE)


def test_the_two_ends_alone_cost_no_forward_pass() -> None:
    def losses(genes):
        raise AssertionError("no loss is needed")

    assert len(Attentive(transformers()).draw(replace(a_draw(0, 2), losses=losses))) == 2


def test_targets_are_spread_as_random_networks_are() -> None:
    made = convolutions()
    count = MacsGenerator(made).count
    drawn = count(Attentive(made, candidates=1).draw(a_draw(0, 3002))[2:])
    random = count(made.sample(np.random.default_rng(1), 3000))
    quantiles = np.linspace(0.05, 0.95, 7)
    assert np.quantile(drawn, quantiles) == pytest.approx(np.quantile(random, quantiles), rel=0.05)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="sampler 'attentive', setting 'mode' got 'better': Input should be 'best' or"):
        Attentive(transformers(), mode="better")
