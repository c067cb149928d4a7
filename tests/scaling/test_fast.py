import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.rules.fast import PLAIN_KINDS, exponents, factors_of, fast_exponents, fast_rule, scaling_factors
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError


def test_the_published_choice_of_alpha() -> None:
    factors = scaling_factors("dWr", 4)
    assert factors == pytest.approx((4**0.1, 4**0.4, 4**0.05, 4**0.4))
    assert scaling_factors("d1_w8_g8_r1", 4) == pytest.approx(factors)


def test_alpha_spans_the_family() -> None:
    assert fast_exponents(1.0) == (0, 1, 0, 1)
    assert fast_exponents(0.0) == (0.5, 0, 0.5, 0)
    assert fast_exponents(1 / 3)[:3] == pytest.approx(exponents("dwr")[:3])
    assert fast_exponents(0.5) == exponents("d1_w2_g2_r1")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("d", (4, 1, 1, 1)),
        ("w", (1, 2, 1, 1)),
        ("r", (1, 1, 2, 1)),
        ("dw", (2, 2**0.5, 1, 1)),
        ("dr", (2, 1, 2**0.5, 1)),
        ("wr", (1, 2**0.5, 2**0.5, 1)),
        ("dwr", (4 ** (1 / 3), 4 ** (1 / 6), 4 ** (1 / 6), 1)),
        ("w1_g1", (1, 2, 1, 2)),
        ("d1_w8_g0_r1", (4**0.1, 4**0.4, 4**0.05, 1)),
        ("d0.5_w0.5", (2, 2**0.5, 1, 1)),
    ],
)
def test_kinds_give_their_factors(kind: str, expected: tuple[float, ...]) -> None:
    assert scaling_factors(kind, 4) == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0.001, 1000))
def test_macs_grow_by_the_factor(alpha: float, factor: float) -> None:
    depth, width, resolution, group = factors_of(fast_exponents(alpha), factor)
    assert depth * width**2 * resolution**2 == pytest.approx(factor)
    assert group == width


@pytest.mark.parametrize("kind", ["", "x", "wd", "dd", "d1_d2", "d0_w0_r0", "g1", "d1w1", "d1_w-1", "d1__w1", "dwr_"])
def test_unreadable_kinds_list_what_is_allowed(kind: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"unknown kind of fast scaling {kind!r}: allowed: d, w, r, dw")):
        exponents(kind)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_outside_its_range_is_refused(alpha: float) -> None:
    with pytest.raises(UsageError, match=rf"alpha {alpha:g} is not possible: give a number from 0 to 1"):
        fast_exponents(alpha)


def test_a_rule_is_named_after_its_kind(mobile: Blueprint) -> None:
    assert fast_rule("d1_w2_g2_r1")(mobile, 2).rule == "d1_w2_g2_r1"
    assert [fast_rule(kind).name for kind in PLAIN_KINDS] == list(PLAIN_KINDS)
