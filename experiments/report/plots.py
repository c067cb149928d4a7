"""What all figures share: the look, axes, error bars, escaped text. Colours are variables of the page's style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any

from experiments.report.data import Quantity

SERIES = tuple(f"var(--series-{number})" for number in range(1, 6))
FAINT, INK, MUTED, LINE, SURFACE = "var(--faint)", "var(--ink)", "var(--muted)", "var(--line)", "var(--surface)"
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("diamond", "square", "circle", "cross")
FONT = "system-ui, sans-serif"


def plot_text(text: str) -> str:
    """Return ``text`` escaped: plotly reads a few HTML tags, links among them, in every text that it draws."""
    return escape(text, quote=False)


def axis(title: str, **options: Any) -> dict[str, Any]:
    """Return an axis."""
    look = {
        "title": {"text": plot_text(title), "standoff": 10},
        "gridcolor": LINE,
        "linecolor": LINE,
        "zeroline": False,
        "automargin": True,
        "ticks": "outside",
        "tickcolor": LINE,
        "ticklen": 4,
    }
    return {**look, **options}


def log_axis(title: str, values: Iterable[float]) -> dict[str, Any]:
    """Return a logarithmic axis with whole numbers at its ticks (plotly itself writes "2" for 20)."""
    ticks = log_ticks([value for value in values if value > 0])
    return axis(title, type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])


def log_ticks(values: Sequence[float]) -> list[float]:
    """Return about five round numbers around positive ``values``, closer together where these span little."""
    if not values:
        return []
    low, high = min(values), max(values)
    if high < 3 * low:
        # Steps below the digits that a tick shows would give one number several times.
        step = _round_step(max((high - low) / 4, low * 1e-4) if high > low else low / 4)
        first, last = floor(low / step), ceil(high / step)
        return [float(f"{number * step:.6g}") for number in range(max(first, 1), last + 1)]
    mantissas = (1, 2, 3, 5, 7) if high < 12 * low else (1, 2, 5) if high < 1000 * low else (1,)
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 1)
    ticks = [float(f"{mantissa}e{power}") for power in powers for mantissa in mantissas]
    return [tick for tick in ticks if low / 1.6 <= tick <= high * 1.6]


def _round_step(step: float) -> float:
    """Return the next of 1, 2, 5, 10 times a power of ten that is not below ``step``."""
    power = 10.0 ** floor(log10(step))
    return power * next(mantissa for mantissa in (1, 2, 5, 10) if mantissa * power >= step * 0.999)


def layout(x: dict[str, Any], y: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the layout of a figure with these axes."""
    look = {
        "xaxis": x,
        "yaxis": y,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": MUTED, "size": 12.5, "family": FONT},
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "hoverlabel": {
            "bgcolor": SURFACE,
            "bordercolor": LINE,
            "font": {"color": INK, "family": FONT},
            "align": "left",
        },
        "hovermode": "closest",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": FAINT, "activecolor": INK},
        "uirevision": "keep",
    }
    return {**look, **options}


def error_bars(quantities: Sequence[Quantity], color: str) -> dict[str, Any]:
    """Return plotly's error bars: the spread where there is one, else the interval, else nothing."""
    ends = [_ends(quantity) for quantity in quantities]
    above, below = [end for _, end in ends], [end for end, _ in ends]
    return {
        "type": "data",
        "array": above,
        "arrayminus": below,
        "visible": any(above) or any(below),
        "color": color,
        "thickness": 1.2,
        "width": 0,
    }


def _ends(quantity: Quantity) -> tuple[float, float]:
    """Return the lengths of the bar below and above."""
    if quantity.spread is not None:
        return quantity.spread, quantity.spread
    lower = quantity.value if quantity.lower is None else quantity.lower
    upper = quantity.value if quantity.upper is None else quantity.upper
    return max(0.0, quantity.value - lower), max(0.0, upper - quantity.value)
