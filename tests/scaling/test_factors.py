import re

import pytest

from scaling.factors import Factors, check_factor, predicted_growth
from scaling.rules.fast import scaling_factors
from search_spaces.errors import UsageError

# The laws of Dollar, Singh, Girshick (2021), table 1: exponents of s for (parameters, activations).
LAWS = {
    "d": (1, 1),
    "w": (1, 1 / 2),
    "r": (0, 1),
    "dw": (1, 3 / 4),
    "dr": (1 / 2, 1),
    "wr": (1 / 2, 3 / 4),
    "dwr": (2 / 3, 5 / 6),
    "dWr": (0.9, 0.6),
}


@pytest.mark.parametrize("factor", [0.25, 2, 4, 16])
@pytest.mark.parametrize("kind", LAWS)
def test_predicted_growth_follows_the_published_laws(kind: str, factor: float) -> None:
    growth = predicted_growth(scaling_factors(kind, factor))
    params, activations = LAWS[kind]
    assert growth.macs == pytest.approx(factor)
    assert growth.params == pytest.approx(factor**params)
    assert growth.activations == pytest.approx(factor**activations)


def test_no_scaling_predicts_no_growth() -> None:
    growth = predicted_growth(Factors())
    assert (growth.macs, growth.params, growth.activations) == (1, 1, 1)


@pytest.mark.parametrize("factor", [0, -2, 1e9, 1e-9, float("nan"), float("inf")])
def test_impossible_factors_are_refused_by_name(factor: float) -> None:
    with pytest.raises(UsageError, match=re.escape(f"factor of {factor:g} ") + ".*from 0.0001 to 10000") as error:
        check_factor(factor)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("factor", [0.0001, 0.5, 1, 10_000])
def test_possible_factors_pass(factor: float) -> None:
    assert check_factor(factor) is None
