"""Figures of a comparison of scaling rules: accuracy against a cost, growth of a cost against that of MACs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.report.data import Quantity
from experiments.report.panel import Figure
from experiments.report.plots import FAINT, SERIES, SURFACE, axis, error_bars, layout, log_axis, plot_text
from nas.search.pareto import non_dominated

Row = Mapping[str, Any]
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "triangle-down", "x")
COSTS = {
    "macs": "MACs",
    "params": "parameters",
    "activations": "activations",
    "peak_memory_bytes": "peak memory (bytes, estimate)",
    "training_s": "training time (s of the processor)",
}


def rule_name(rule: str) -> str:
    """Return a rule's name without the path of the file that it was read from."""
    return rule.partition(":")[0] if rule.startswith("learned:") else rule


def accuracy_figures(rows: Sequence[Row]) -> list[Figure]:
    """Return one figure a cost, of the networks that were trained."""
    trained = [row for row in rows if "test_accuracy" in row]
    if not trained:
        return []
    targets = list(trained[0]["latency"])
    figures = [_accuracy_figure(trained, [row[key] for row in trained], title) for key, title in COSTS.items()]
    for name in targets:
        times = [row["latency"][name]["latency_ms"] for row in trained]
        obtained = trained[0]["latency"][name]["obtained"]
        figures.insert(0, _accuracy_figure(trained, times, f"latency on {name} (ms, {obtained})"))
    return figures


def _accuracy_figure(rows: Sequence[Row], costs: Sequence[float], title: str) -> Figure:
    front = _front(rows, costs)
    traces = [_staircase(rows, costs, front)]
    for number, rule in enumerate(dict.fromkeys(row["rule"] for row in rows)):
        chosen = [index for index, row in enumerate(rows) if row["rule"] == rule]
        color = SERIES[number % len(SERIES)]
        quantities = [_accuracy(rows[index]) for index in chosen]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plot_text(rule_name(rule)),
                "x": [costs[index] for index in chosen],
                "y": [quantity.value for quantity in quantities],
                "text": [plot_text(f"{rule_name(rule)} x {rows[index]['factor']:g}") for index in chosen],
                "hovertemplate": "%{text}: %{y:.2f} % at %{x:.4g}<extra></extra>",
                "error_y": error_bars(quantities, color),
                "marker": {
                    "color": [color if front[index] else SURFACE for index in chosen],
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                    "size": 10,
                    "line": {"width": 1.8, "color": color},
                },
            }
        )
    figure = layout(log_axis(f"{title}, logarithmic", costs), axis("test accuracy (%)"))
    return Figure(f"Accuracy against {title}", traces, figure, height=400)


def _accuracy(row: Row) -> Quantity:
    return Quantity(
        value=row["test_accuracy"],
        unit="%",
        obtained="measured",
        spread=row["test_accuracy_spread"],
        n=len(row["test_accuracies"]),
    )


def _front(rows: Sequence[Row], costs: Sequence[float]) -> list[bool]:
    import numpy as np

    points = np.array([[cost, -row["test_accuracy"]] for row, cost in zip(rows, costs, strict=True)])
    return [bool(each) for each in non_dominated(points)]


def _staircase(rows: Sequence[Row], costs: Sequence[float], front: Sequence[bool]) -> dict[str, Any]:
    members = sorted((costs[index], rows[index]["test_accuracy"]) for index in range(len(rows)) if front[index])
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [cost for cost, _ in members],
        "y": [accuracy for _, accuracy in members],
        "line": {"shape": "hv", "color": FAINT, "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def growth_figures(rows: Sequence[Row]) -> list[Figure]:
    """Return the growth of parameters, of activations and of each latency, against that of MACs, in logs."""
    base, scaled = rows[0], [row for row in rows if "growth" in row]
    figures = [
        _growth_figure(scaled, [row["growth"][key] for row in scaled], key, COSTS[key])
        for key in ("params", "activations")
    ]
    for name, found in base["latency"].items():
        timed = [row for row in scaled if name in row["latency"]]
        grown = [row["latency"][name]["latency_ms"] / found["latency_ms"] for row in timed]
        figures.append(_growth_figure(timed, grown, None, f"latency on {name} ({found['obtained']})"))
    return figures


def _growth_figure(rows: Sequence[Row], grown: Sequence[float], law: str | None, title: str) -> Figure:
    traces: list[dict[str, Any]] = []
    for number, rule in enumerate(dict.fromkeys(row["rule"] for row in rows)):
        chosen = [(row, value) for row, value in zip(rows, grown, strict=True) if row["rule"] == rule]
        name, color = plot_text(rule_name(rule)), SERIES[number % len(SERIES)]
        reached = [(row["growth"]["macs"], value) for row, value in chosen]
        marker = {"color": color, "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8}
        traces.append({**_line(reached, name, color), "mode": "lines+markers", "marker": marker})
        if law:
            foretold = [(row["predicted_growth"]["macs"], row["predicted_growth"][law]) for row, _ in chosen]
            line = _line(foretold, name, color)
            traces.append({**line, "showlegend": False, "line": {**line["line"], "dash": "dot"}})
    x = log_axis("growth of MACs", [1.0, *(row["growth"]["macs"] for row in rows)])
    y = log_axis(f"growth of {title}", [1.0, *grown])
    return Figure(f"Growth of {title}", traces, layout(x, y), height=400)


def _line(points: Sequence[tuple[float, float]], name: str, color: str) -> dict[str, Any]:
    """Return a line from the base through (growth of MACs, growth)."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "x": [1.0, *(macs for macs, _ in points)],
        "y": [1.0, *(value for _, value in points)],
        "line": {"color": color, "width": 1.5},
        "hovertemplate": f"{name}: %{{y:.3g}} at %{{x:.3g}}<extra></extra>",
    }
