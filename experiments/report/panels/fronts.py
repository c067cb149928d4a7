"""The Pareto front of every target: accuracy against latency, dominated candidates behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.report.data import Candidate, Front, ReportData, ReportMetric
from experiments.report.formats import (
    SOURCES,
    byte_count,
    exact_count,
    quantity_cell,
    quantity_text,
    scaled,
    sources,
    spread_text,
)
from experiments.report.names import counting_title
from experiments.report.panel import PANELS, Card, Cell, Column, Element, Figure, Fold, Panel, Table
from experiments.report.plots import FAINT, INK, SERIES, SURFACE, axis, error_bars, layout, log_axis, plot_text
from experiments.report.sample import sampled
from nas.search.selection import knee_of

MAX_DOMINATED = 1500
MAX_MEMBERS = 1000
SYMBOLS = {"measured": "circle", "predicted": "circle", "analytic": "square", "table": "diamond"}


@PANELS.register("fronts")
def fronts(data: ReportData) -> Panel | None:
    """Return the panel, one card a target."""
    shown = [front for front in data.fronts if front.candidates]
    if not shown:
        return None
    cards = [_card(front, data.counting, data.metric) for front in shown]
    side = "Up" if data.metric.direction == "max" else "Down"
    better = "more accurate" if data.metric.name == "accuracy" else f"better by {data.metric.title}"
    lead = (
        f"Each point is a network. {side} and to the left is better; no network is both faster and {better} than one "
        "on the line. Bars are the spread. With a mouse, drag to zoom and double-click to return."
    )
    return Panel("fronts", "Pareto front of each target", "Fronts", 30, cards, lead)


def _card(front: Front, counting: str, metric: ReportMetric) -> Card:
    members = sorted((c for c in front.candidates if c.on_front), key=lambda c: (c.latency_ms.value, c.key))
    shown = _shown(members, metric)
    elements: list[Element] = [_figure(front, shown, metric)]
    if shown:
        count = f"{len(shown):,} of {len(members):,}" if len(shown) < len(members) else f"{len(members)}"
        elements.append(Fold(f"The front as a table ({count} networks)", (_table(shown, counting, metric),)))
    subtitle = f"{len(members)} on the front of {len(front.candidates)} compared"
    if len(shown) < len(members):
        subtitle += (
            f"; {len(shown):,} of the front are shown: its ends, its knee, the chosen ones and evenly many of the "
            "others. The line goes through those shown; front.csv holds all"
        )
    return Card(front.target, elements, subtitle)


def _shown(members: Sequence[Candidate], metric: ReportMetric) -> Sequence[Candidate]:
    """Return the members of a front, the fastest first, that are drawn and listed."""
    if len(members) <= MAX_MEMBERS:
        return members
    points = np.array([(c.latency_ms.value, -metric.rank(c.accuracy.value)) for c in members])
    always = {0, len(members) - 1, knee_of(points), *(place for place, c in enumerate(members) if c.chosen)}
    return [members[place] for place in sampled(len(members), MAX_MEMBERS, always)]


def _figure(front: Front, members: Sequence[Candidate], metric: ReportMetric) -> Figure:
    behind = [c for c in front.candidates if not c.on_front]
    dominated = [behind[place] for place in sampled(len(behind), MAX_DOMINATED)]
    chosen = [c for c in front.candidates if c.chosen]
    traces = [_points(dominated, "dominated", metric, color=FAINT, size=6, symbol="circle")] if dominated else []
    if members:
        traces.append(_staircase(members))
    traces += [_members(members, metric, *pair) for pair in _pairs(members)]
    if chosen:
        traces.append(_chosen(chosen, front, metric))
    x = log_axis("latency (ms, logarithmic)", (c.latency_ms.value for c in front.candidates))
    y = axis(f"validation {metric.title} ({metric.unit})")
    obtained = sources(quantity for c in front.candidates for quantity in (c.accuracy, c.latency_ms))
    hidden = len(behind) - len(dominated)
    sample = f"; {hidden:,} dominated networks are left out, evenly" if hidden else ""
    subtitle = f"{metric.title}: {front.recipe}{sample}"
    return Figure(f"{metric.heading} against latency", traces, layout(x, y), subtitle, obtained, 460)


def _pairs(members: Sequence[Candidate]) -> list[tuple[str, str]]:
    found = {(c.accuracy.obtained, c.latency_ms.obtained) for c in members}
    return [(a, b) for a in SOURCES for b in SOURCES if (a, b) in found]


def _members(members: Sequence[Candidate], metric: ReportMetric, accuracy: str, latency: str) -> dict[str, Any]:
    group = [c for c in members if (c.accuracy.obtained, c.latency_ms.obtained) == (accuracy, latency)]
    name = f"front: {metric.title} {accuracy}, latency {latency}"
    trace = _points(group, name, metric, color=SERIES[0], size=9, symbol=SYMBOLS[latency])
    # Filled where the latency was measured; hollow in the colour of the page, so that the line does not shine through.
    fill = SERIES[0] if latency == "measured" else SURFACE
    look = {
        "marker": {**trace["marker"], "color": fill},
        "error_x": error_bars([c.latency_ms for c in group], SERIES[0]),
        "error_y": error_bars([c.accuracy for c in group], SERIES[0]),
    }
    return {**trace, **look}


def _points(
    group: Sequence[Candidate], name: str, metric: ReportMetric, color: str, size: int, symbol: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [c.latency_ms.value for c in group],
        "y": [c.accuracy.value for c in group],
        "text": [_hover(c, metric) for c in group],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color, "size": size, "symbol": symbol, "line": {"width": 1.8, "color": color}},
    }


def _staircase(members: Sequence[Candidate]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [c.latency_ms.value for c in members],
        "y": [c.accuracy.value for c in members],
        "line": {"shape": "hv", "color": SERIES[0], "width": 1.5},
        "opacity": 0.55,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _chosen(chosen: Sequence[Candidate], front: Front, metric: ReportMetric) -> dict[str, Any]:
    # The corner above the front is empty; at its left end only the one below leaves the axis readable.
    edge = sorted(c.latency_ms.value for c in front.candidates)[len(front.candidates) // 4]
    places = ["bottom right" if c.latency_ms.value < edge else "top left" for c in chosen]
    trace = _points(chosen, "chosen", metric, color=SERIES[1], size=16, symbol="circle-open")
    labels = [f"<b>{plot_text(c.label)}</b>" for c in chosen]
    return {
        **trace,
        "mode": "markers+text",
        "customdata": trace["text"],
        "text": labels,
        "hovertemplate": "%{customdata}<extra></extra>",
        "textposition": places,
        "textfont": {"color": INK, "size": 12.5},
        "cliponaxis": False,
    }


def _hover(candidate: Candidate, metric: ReportMetric) -> str:
    def line(name: str, quantity: Any) -> str:
        spread = spread_text(quantity)
        return f"{name} {quantity_text(quantity)}{' ' + spread if spread else ''} ({quantity.obtained})"

    counts = f"{scaled(candidate.macs)} MACs, {scaled(candidate.params)} parameters (analytic)"
    lines = [line(metric.title, candidate.accuracy), line("latency", candidate.latency_ms), counts]
    return "<br>".join([f"<b>{plot_text(candidate.label)}</b>", *map(plot_text, lines)])


def _table(members: Sequence[Candidate], counting: str, metric: ReportMetric) -> Table:
    columns = [
        Column("Network", numeric=False),
        Column(metric.heading, "validation"),
        Column("Latency"),
        Column("MACs", obtained=("analytic",)),
        Column("Parameters", obtained=("analytic",)),
        Column("Activations", obtained=("analytic",)),
        Column("Peak memory", "estimate", obtained=("analytic",)),
    ]
    rows = [
        [
            Cell(c.label, "chosen" if c.chosen else "", c.key),
            quantity_cell(c.accuracy),
            quantity_cell(c.latency_ms),
            exact_count(c.macs, "MACs"),
            exact_count(c.params, "parameters"),
            exact_count(c.activations, "activations"),
            Cell(byte_count(c.peak_memory_bytes)),
        ]
        for c in members
    ]
    marked = frozenset(number for number, c in enumerate(members) if c.chosen)
    return Table(columns, rows, f"Counted for one image, {counting_title(counting)}.", marked)
