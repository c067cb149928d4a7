"""Training of the supernetwork: loss, learning rate, and accuracies from the smallest network to the largest."""

from __future__ import annotations

from typing import Any

from experiments.report.data import ReportData, TrainingPoint
from experiments.report.formats import grouped, scaled
from experiments.report.panel import PANELS, Card, Element, Figure, Grid, Panel, Points
from experiments.report.plots import SERIES, SYMBOLS, axis, layout

NETWORKS = (
    ("largest", "accuracy_largest", "circle", "solid"),
    ("middle", "accuracy_middle", "square", "dash"),
    ("smallest", "accuracy_smallest", "diamond", "dot"),
)


@PANELS.register("training")
def training(data: ReportData) -> Panel | None:
    """Return the panel."""
    if not data.training:
        return None
    metric = data.metric
    accuracies = [line for number in range(3) if (line := _accuracy(data.training, number, metric.unit))]
    figures: list[Element] = [_loss(data.training)]
    if accuracies:
        options = layout(axis("optimiser steps"), axis(f"validation {metric.title} ({metric.unit})"))
        subtitle = "inherited weights, at points of training"
        figures.append(Figure(f"{metric.heading} of three networks", accuracies, options, subtitle, ("measured",), 380))
    groups = _groups(data.training, metric.unit)
    if groups:
        options = layout(axis("optimiser steps"), axis(f"validation {metric.title} ({metric.unit})"))
        subtitle = "inherited weights, mean of two networks in each quarter by MACs"
        figures.append(Figure(f"{metric.heading} by cost", groups, options, subtitle, ("measured",), 380))
    elements: list[Element] = [Grid(figures)]
    undone = [line for point in data.training for line in point.rollbacks]
    if undone:
        elements.append(Card("What was undone", [Points(undone)]))
    last = data.training[-1]
    epochs = "" if last.epoch is None else f"{grouped(last.epoch)} epochs, "
    lead = (
        f"One set of weights was trained for {grouped(last.step)} optimiser steps "
        f"({epochs}{grouped(last.images)} images)."
    )
    return Panel("training", "Training of the supernetwork", "Training", 60, elements, lead)


def _loss(points: tuple[TrainingPoint, ...]) -> Figure:
    steps = [point.step for point in points]
    loss = {
        "type": "scatter",
        "mode": "lines",
        "x": steps,
        "y": [point.loss for point in points],
        "line": {"color": SERIES[0], "width": 1.8},
        "hovertemplate": "step %{x}: loss %{y:.4f}<extra></extra>",
    }
    rate = {
        "type": "scatter",
        "mode": "lines",
        "x": steps,
        "y": [point.learning_rate for point in points],
        "yaxis": "y2",
        "line": {"color": SERIES[1], "width": 1.8},
        "hovertemplate": "step %{x}: learning rate %{y:.3g}<extra></extra>",
    }
    options = layout(
        axis("optimiser steps", anchor="y2"),
        axis("training loss", domain=[0.36, 1]),
        yaxis2=axis("learning rate", domain=[0, 0.26], rangemode="tozero", nticks=3),
        showlegend=False,
    )
    return Figure("Loss and learning rate", [loss, rate], options, "mean over the step's networks", ("measured",), 380)


def _accuracy(points: tuple[TrainingPoint, ...], number: int, unit: str) -> dict[str, Any] | None:
    name, field, symbol, dash = NETWORKS[number]
    values = [(point.step, getattr(point, field)) for point in points if getattr(point, field) is not None]
    if not values:
        return None
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [step for step, _ in values],
        "y": [value for _, value in values],
        "line": {"color": SERIES[number], "width": 1.8, "dash": dash},
        "marker": {"symbol": symbol, "size": 6},
        "hovertemplate": f"{name}, step %{{x}}: %{{y:.2f}} {unit}<extra></extra>",
    }


def _groups(points: tuple[TrainingPoint, ...], unit: str) -> list[dict[str, Any]]:
    """Return one line a group of networks by MACs, the costliest first."""
    measured = [point for point in points if point.groups]
    lines = []
    for number in reversed(range(len(measured[-1].groups) if measured else 0)):
        group = measured[-1].groups[number]
        name = f"{scaled(group.least_macs)} to {scaled(group.most_macs, 'MACs')}"
        lines.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [point.step for point in measured],
                "y": [point.groups[number].percent for point in measured],
                "line": {"color": SERIES[number], "width": 1.8},
                "marker": {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
                "hovertemplate": f"{name}, step %{{x}}: %{{y:.2f}} {unit}<extra></extra>",
            }
        )
    return lines
