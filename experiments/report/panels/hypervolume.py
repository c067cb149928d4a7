"""The hypervolume that each search reached, against the number of evaluated networks."""

from __future__ import annotations

from typing import Any

from experiments.report.data import ReportData, SearchRun
from experiments.report.formats import grouped, significant
from experiments.report.names import algorithm_title
from experiments.report.panel import PANELS, Figure, Panel
from experiments.report.plots import DASHES, SERIES, axis, layout, plot_text


@PANELS.register("hypervolume")
def hypervolume(data: ReportData) -> Panel | None:
    """Return the panel."""
    runs = [run for run in data.search.runs if run.history]
    if not runs:
        return None
    ordered = sorted(runs, key=lambda run: run.algorithm == "random")
    traces = [_line(run, number) for number, run in enumerate(ordered)]
    figure = Figure(
        "Hypervolume against evaluated networks",
        traces,
        layout(axis("networks evaluated", rangemode="tozero"), axis("hypervolume")),
        _definition(data),
        data.search.obtained,
        380,
    )
    ends = [
        f"{algorithm_title(run.algorithm)} reached {significant(run.final)} after "
        f"{grouped(run.history[-1].evaluations)} evaluations"
        for run in ordered
    ]
    lead = (
        "How much of the objective space the networks found so far dominate; more is better. " + "; ".join(ends) + "."
    )
    return Panel("hypervolume", "Search progress", "Search", 40, (figure,), lead)


def _definition(data: ReportData) -> str:
    corner = ", ".join(f"{name} {value:g}" for name, value in data.search.reference_point.items())
    parts = [f"reference point: {corner}" if corner else "", data.search.normalisation]
    return "; ".join(part for part in parts if part)


def _line(run: SearchRun, number: int) -> dict[str, Any]:
    name = plot_text(f"{algorithm_title(run.algorithm)} ({significant(run.final)})")
    dash = DASHES[number % len(DASHES)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [point.evaluations for point in run.history],
        "y": [point.hypervolume for point in run.history],
        "line": {"shape": "hv", "width": 2.4, "color": SERIES[number % len(SERIES)], "dash": dash},
        "hovertemplate": "%{x} evaluations: %{y:.4f}<extra>" + plot_text(algorithm_title(run.algorithm)) + "</extra>",
    }
