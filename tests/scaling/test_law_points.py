from __future__ import annotations

import numpy as np
import pytest

from scaling.law import LAWS
from scaling.law_points import Points, require_enough, require_falling, variables_of
from search_spaces.errors import UsageError

POWER, CHINCHILLA = LAWS.get("power"), LAWS.get("chinchilla")


def points(errors: list[float], sizes: list[float] | None = None) -> Points:
    inputs = np.array(sizes or range(1, len(errors) + 1), float)[:, None]
    return Points([f"network {number}" for number in range(1, len(errors) + 1)], inputs, np.array(errors))


def test_take_keeps_names_beside_numbers() -> None:
    taken = points([3.0, 2.0, 1.0]).take(np.array([True, False, True]))
    assert (taken.names, taken.errors.tolist()) == (["network 1", "network 3"], [3.0, 1.0])


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_numbers_that_have_no_logarithm_are_refused_by_row(wrong: float) -> None:
    with pytest.raises(UsageError, match=r"the error of network 2 is .*positive"):
        variables_of(POWER, points([3.0, wrong, 1.0]))
    with pytest.raises(UsageError, match="cost of network 1"):
        variables_of(POWER, points([3.0, 2.0], [wrong, 2.0]))


def test_too_few_points_are_refused() -> None:
    require_enough(POWER, np.arange(1.0, 6.0)[:, None])
    with pytest.raises(UsageError, match="3 parameters: 4 points are too few, give 5"):
        require_enough(POWER, np.arange(1.0, 5.0)[:, None])


def test_a_variable_of_few_values_is_refused() -> None:
    same = np.column_stack([np.arange(1.0, 13.0), np.tile([1.0, 2.0], 6)])
    with pytest.raises(UsageError, match=r"variable 2 .* takes 2 distinct values"):
        require_enough(CHINCHILLA, same)


def test_an_error_that_rises_is_refused_unless_noise_explains_it() -> None:
    rising = points([25.0, 22.0, 21.37, 21.67])
    with pytest.raises(UsageError, match=r"21\.37 \(network 3\) to 21\.67 \(network 4\)"):
        require_falling(rising, rising.inputs, 0.2)
    require_falling(rising, rising.inputs, 0.31)


def test_points_that_no_other_exceeds_in_every_variable_may_have_any_error() -> None:
    sizes = np.array([[1.0, 4.0], [4.0, 1.0], [2.0, 2.0]])
    require_falling(Points(["a", "b", "c"], sizes, np.array([3.0, 9.0, 1.0])), sizes)
