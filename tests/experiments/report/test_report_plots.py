"""Axes, error bars and escaped text."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from experiments.report.data import Quantity
from experiments.report.plots import error_bars, log_axis, log_ticks, plot_text


@given(st.floats(1e-4, 1e4), st.floats(1.0, 1e5))
@example(low=1.0, span=1.0 + 2**-40)
def test_logarithmic_ticks_cover_the_values(low: float, span: float) -> None:
    high = low * span
    assume(high > low)
    ticks = log_ticks([low, high])
    assert 2 <= len(ticks) <= 16
    assert ticks == sorted(set(ticks))
    assert all(tick > 0 for tick in ticks)
    assert sum(low / 1.7 <= tick <= high * 1.7 for tick in ticks) >= 2


def test_logarithmic_ticks_are_whole_numbers() -> None:
    assert log_ticks([2.1, 58.0]) == [2.0, 5.0, 10.0, 20.0, 50.0]
    assert log_ticks([3.1, 3.9]) == [3.0, 3.2, 3.4, 3.6, 3.8, 4.0]
    assert log_axis("latency (ms)", [2.1, 58.0])["ticktext"] == ["2", "5", "10", "20", "50"]


def test_a_single_value_and_no_positive_value_have_an_axis() -> None:
    assert 3.0 in log_ticks([3.0])
    assert log_axis("latency (ms)", [0.0, -1.0])["tickvals"] == []


def test_error_bars_take_the_spread_else_the_interval_else_nothing() -> None:
    quantities = [
        Quantity(value=2.0, unit="ms", obtained="measured", spread=0.5, lower=0.0, upper=9.0),
        Quantity(value=2.0, unit="ms", obtained="measured", lower=0.0, upper=5.0),
        Quantity(value=2.0, unit="ms", obtained="analytic"),
    ]
    bars = error_bars(quantities, "var(--ink)")
    assert bars["array"] == [0.5, 3.0, 0.0]
    assert bars["arrayminus"] == [0.5, 2.0, 0.0]
    assert bars["visible"] is True
    assert error_bars(quantities[2:], "var(--ink)")["visible"] is False


def test_plot_text_leaves_no_tag() -> None:
    assert plot_text('<a href="https://x">&') == '&lt;a href="https://x"&gt;&amp;'
