"""The chosen networks scaled by named rules: what was asked, what came out, what the rule's law foretold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.report.block_labels import size_text
from experiments.report.data import ReportData, ScalingRow
from experiments.report.formats import TIMES, exact_count, factor, scaled
from experiments.report.names import counting_title
from experiments.report.panel import PANELS, Card, Cell, Column, Figure, Grid, Panel, Table
from experiments.report.plots import DASHES, SERIES, SYMBOLS, layout, log_axis, plot_text

NO_BREAK = "\u00a0"


@PANELS.register("scaling")
def scaling(data: ReportData) -> Panel | None:
    """Return the panel."""
    if not data.scaling:
        return None
    columns = [
        Column("Rule", numeric=False),
        Column("Asked", f"{TIMES} MACs"),
        Column("Achieved", f"{TIMES} MACs", obtained=("analytic",)),
        Column("Resolution"),
        Column("Depths", "by stage", numeric=False),
        Column("Widths", "by stage", numeric=False),
        Column("MACs", "growth by law", obtained=("analytic",)),
        Column("Parameters", "growth by law", obtained=("analytic",)),
        Column("Activations", "growth by law", obtained=("analytic",)),
    ]
    bases = dict.fromkeys(row.base for row in data.scaling)
    cards = [_card(base, [row for row in data.scaling if row.base == base], columns) for base in bases]
    lead = (
        "Larger and smaller members of the family, made from a chosen network by a rule instead of a search. Below "
        "each count stands the growth that the rule's law foretells; widths and depths are rounded, and stem and head "
        f"do not scale alike, so the two differ. Counted for one image, {counting_title(data.counting)}."
    )
    return Panel("scaling", "Scaling", "Scaling", 80, cards, lead)


def _card(base: str, rows: Sequence[ScalingRow], columns: Sequence[Column]) -> Card:
    return Card(f"From {base}", (Grid(scaling_figures(rows)), Table(columns, [_cells(row) for row in rows])))


def scaling_figures(rows: Sequence[ScalingRow]) -> list[Figure]:
    """Return parameters and activations against MACs, both axes logarithmic: a power law is a straight line."""
    return [_figure(rows, name, title) for name, title in (("params", "Parameters"), ("activations", "Activations"))]


def _figure(rows: Sequence[ScalingRow], name: str, title: str) -> Figure:
    rules = dict.fromkeys(row.rule for row in rows)
    traces = [
        _line(sorted((row for row in rows if row.rule == rule), key=lambda row: row.macs), name, number)
        for number, rule in enumerate(rules)
    ]
    x = log_axis("MACs (logarithmic)", [row.macs for row in rows])
    y = log_axis(f"{title.lower()} (logarithmic)", [getattr(row, name) for row in rows])
    options = layout(_in_words(x), _in_words(y))
    return Figure(f"{title} against MACs", traces, options, "counted, one line a rule", ("analytic",), 380)


def _in_words(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "ticktext": [scaled(tick) for tick in found["tickvals"]]}


def _line(rows: Sequence[ScalingRow], name: str, number: int) -> dict[str, Any]:
    color = SERIES[number % len(SERIES)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": plot_text(rows[0].rule),
        "x": [row.macs for row in rows],
        "y": [getattr(row, name) for row in rows],
        "text": [f"{factor(row.factor_asked)} asked, {factor(row.factor_achieved)} achieved" for row in rows],
        "line": {"color": color, "width": 1.8, "dash": DASHES[number % len(DASHES)]},
        "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8, "color": color},
        "hovertemplate": "%{text}<br>%{x:.4s} MACs<br>%{y:.4s}<extra>" + plot_text(rows[0].rule) + "</extra>",
    }


def _cells(row: ScalingRow) -> list[Cell]:
    return [
        Cell(row.rule),
        Cell(factor(row.factor_asked)),
        Cell(factor(row.factor_achieved)),
        Cell(size_text(row.resolution)),
        Cell(NO_BREAK.join(map(str, row.depths))),
        Cell(NO_BREAK.join(map(str, row.widths))),
        _count(row, "macs", "MACs"),
        _count(row, "params", "parameters"),
        _count(row, "activations", "activations"),
    ]


def _count(row: ScalingRow, name: str, what: str) -> Cell:
    cell = exact_count(getattr(row, name), what)
    growth = row.predicted_growth.get(name)
    return Cell(cell.text, factor(growth) if growth is not None else "", cell.title)
