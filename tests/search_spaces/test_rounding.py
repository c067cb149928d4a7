from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.rounding import make_divisible

WIDTHS = st.floats(0.5, 5000) | st.integers(1, 5000)


@settings(max_examples=200)
@given(WIDTHS, st.sampled_from([1, 2, 4, 8, 16]))
def test_a_multiple_that_loses_at_most_a_tenth_and_adds_less_than_one_and_a_half_steps(
    width: float, divisor: int
) -> None:
    rounded = make_divisible(width, divisor)
    assert rounded % divisor == 0
    assert rounded >= max(divisor, 0.9 * width)
    assert rounded == divisor or rounded - width <= 1.5 * divisor
    assert make_divisible(rounded, divisor) == rounded


@settings(max_examples=100)
@given(WIDTHS, WIDTHS)
def test_grows_with_the_width_but_for_the_widths_that_lose_a_tenth(one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert make_divisible(small) <= make_divisible(large) + 8


@pytest.mark.parametrize(
    ("width", "rounded"),
    # MobileNetV2's and V3's widths at multipliers 0.35 to 1.4, and squeeze widths of MobileNetV3.
    [
        (32 * 0.35, 16),
        (16 * 0.35, 8),
        (24 * 0.75, 24),
        (96 * 0.35, 32),
        (1280 * 1.4, 1792),
        (72 // 4, 24),
        (120 // 4, 32),
    ],
)
def test_published_widths(width: float, rounded: int) -> None:
    assert make_divisible(width) == rounded
