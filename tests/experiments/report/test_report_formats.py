"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.report.data import Quantity
from experiments.report.formats import (
    THIN,
    duration,
    exact_count,
    factor,
    power_of_ten,
    quantity_cell,
    quantity_text,
    scaled,
    significant,
    sources,
    spread_text,
)

PREFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def plain(text: str) -> str:
    return text.replace(THIN, " ")


@given(st.floats(1e-6, 1e9), st.integers(2, 6))
def test_significant_is_within_half_a_unit_of_its_last_digit(value: float, digits: int) -> None:
    text = significant(value, digits)
    assert "e" not in text
    assert float(text.replace(THIN, "")) == pytest.approx(value, rel=0.5001 * 10 ** (1 - digits))


@given(st.integers(0, 10**15))
def test_scaled_keeps_four_digits(value: int) -> None:
    number, _, prefix = plain(scaled(value)).rpartition(" ") if value >= 10_000 else (str(value), "", "")
    assert float(number.replace(" ", "")) * PREFIXES[prefix] == pytest.approx(value, rel=0.0006)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9_999, "9 999"),
        (10_000, "10.00 k"),
        (999_960, "1.000 M"),
        (566_170_656, "566.2 M"),
        (4e12, "4.000 T"),
    ],
)
def test_scaled_examples(value: float, text: str) -> None:
    assert plain(scaled(value)) == text


def test_exact_count_keeps_all_digits_in_the_tooltip() -> None:
    cell = exact_count(244_945_104, "MACs")
    assert (plain(cell.text), plain(cell.title)) == ("244.9 M", "244 945 104 MACs")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (9.96, "10.0 s"), (59.6, "1 min"), (252, "4 min 12 s"), (3600, "1 h"), (7322, "2 h 2 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert plain(duration(seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (999_999, "999 999"),
        (21_766_934_310_826_352_640, "2.18 \u00d7 10¹⁹"),
        (9_999_999, "1.00 \u00d7 10⁷"),
    ],
)
def test_power_of_ten(value: int, text: str) -> None:
    assert plain(power_of_ten(value)) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(97.224, "%", "97.22 %"), (3.4162, "ms", "3.42 ms"), (18_147_072, "bytes", "18.15 MB"), (5e8, "count", "500.0 M")],
)
def test_quantity_text(value: float, unit: str, text: str) -> None:
    assert plain(quantity_text(Quantity(value=value, unit=unit, obtained="measured"))) == text


def test_spread_interval_and_samples_stand_beside_the_value() -> None:
    quantity = Quantity(value=97.2, unit="%", obtained="measured", spread=0.214, lower=95.9, upper=98.1, n=1360)
    assert plain(spread_text(quantity)) == "± 0.21 · [95.90, 98.10] · n = 1 360"
    assert spread_text(Quantity(value=97.2, unit="%", obtained="measured")) == ""
    assert quantity_cell(quantity).obtained == ("measured",)
    assert quantity_cell(quantity).title == "97.2 %"


def test_zero_is_a_bound_like_any_other() -> None:
    quantity = Quantity(value=0.5, unit="ms", obtained="predicted", lower=0.0, upper=1.0)
    assert spread_text(quantity) == "[0, 1.00]"


@pytest.mark.parametrize(("value", "text"), [(2.0, "2"), (0.5, "0.5"), (1.8661, "1.87")])
def test_factor(value: float, text: str) -> None:
    assert factor(value) == f"\u00d7{text}"


def test_sources_stand_once_in_the_order_of_the_legend() -> None:
    quantities = [Quantity(value=1, unit="ms", obtained=name) for name in ("table", "measured", "table", "analytic")]  # type: ignore[arg-type]
    assert sources(quantities) == ("measured", "analytic", "table")
