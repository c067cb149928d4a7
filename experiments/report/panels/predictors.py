"""Every predictor held against measurements, with the diagonal of a perfect one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.report.data import PredictorFit, PredictorPoint, ReportData
from experiments.report.panel import PANELS, Figure, Grid, Panel
from experiments.report.plots import MUTED, SERIES, axis, layout, log_axis, plot_text
from experiments.report.sample import sampled

MAX_POINTS = 1500


@PANELS.register("predictors")
def predictors(data: ReportData) -> Panel | None:
    """Return the panel."""
    figures = [_figure(fit) for fit in data.predictors if fit.points]
    if not figures:
        return None
    lead = (
        "Each point is a network. On the dashed line the predictor is right; Kendall's τ is 1 when it ranks all "
        "pairs as the measurements do, 0 when it guesses. Bars are the predictor's own standard deviation."
    )
    return Panel("predictors", "Predicted against measured", "Predictors", 50, (Grid(figures),), lead)


def _figure(fit: PredictorFit) -> Figure:
    low, high, logarithmic = _range(fit.points)
    tau = f"Kendall τ = {fit.kendall_tau:.3f}" if fit.kendall_tau is not None else ""
    drawn = [fit.points[place] for place in sampled(len(fit.points), MAX_POINTS)]
    number = f"n = {len(fit.points)}"
    number += f", {len(drawn):,} of them drawn, evenly" if len(drawn) < len(fit.points) else ""
    subtitle = " · ".join(part for part in (fit.target, tau, fit.error, number) if part)
    texts = (f"measured {fit.quantity} ({fit.unit})", f"predicted {fit.quantity} ({fit.unit})")
    x, y = (log_axis(text, (low, high)) if logarithmic else axis(text) for text in texts)
    traces = [_diagonal(low, high), _points(fit, drawn)]
    return Figure(fit.title, traces, layout(x, y, showlegend=False), subtitle, ("measured", "predicted"), 360)


def _range(points: Sequence[PredictorPoint]) -> tuple[float, float, bool]:
    """Return the ends of the diagonal and whether axes are logarithmic, as they are above a span of ten."""
    values = [value for point in points for value in (point.predicted, point.measured)]
    low, high = min(values), max(values)
    if low > 0 and high / low > 10:
        return low / 1.2, high * 1.2, True
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin, False


def _diagonal(low: float, high: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [low, high],
        "y": [low, high],
        "line": {"dash": "dash", "width": 1.2, "color": MUTED},
        "hoverinfo": "skip",
    }


def _points(fit: PredictorFit, drawn: Sequence[PredictorPoint]) -> dict[str, Any]:
    unit = plot_text(fit.unit)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [point.measured for point in drawn],
        "y": [point.predicted for point in drawn],
        "text": [plot_text(point.key) for point in drawn],
        "error_y": {
            "type": "data",
            "array": [point.spread or 0.0 for point in drawn],
            "visible": any(point.spread for point in drawn),
            "color": SERIES[0],
            "thickness": 0.8,
            "width": 0,
        },
        "marker": {"color": SERIES[0], "size": 6, "opacity": 0.75},
        "hovertemplate": f"%{{text}}<br>measured %{{x:.4g}} {unit}<br>predicted %{{y:.4g}} {unit}<extra></extra>",
    }
