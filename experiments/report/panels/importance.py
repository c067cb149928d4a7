"""How much each knob alone says about accuracy and latency."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.report.data import ReportData
from experiments.report.panel import PANELS, Figure, Panel
from experiments.report.plots import SERIES, axis, layout, plot_text
from experiments.report.table import EvaluatedTable, TableColumn

MAX_KNOBS = 15
MAX_QUANTITIES = 3
LEAST_NETWORKS = 20


@PANELS.register("importance")
def importance(data: ReportData) -> Panel | None:
    """Return the panel, or None with too few networks to tell."""
    table = data.table
    knobs = [knob for knob in table.knobs if len(knob.values) > 1]
    if len(table.keys) < LEAST_NETWORKS or not knobs or not table.columns:
        return None
    shown = table.columns[:MAX_QUANTITIES]
    shares = np.array([correlation_ratios(table, column) for column in shown])
    order = np.argsort(-shares[0], kind="stable")[:MAX_KNOBS][::-1]
    names = [knobs[number].name.replace("_", " ") for number in order]
    traces = [_bars(column, names, shares[place][order], place) for place, column in enumerate(shown)]
    options = layout(axis("share of the variance (%)", rangemode="tozero"), axis("", type="category", ticks=""))
    obtained = tuple(dict.fromkeys(source for column in shown for source in column.obtained))
    subtitle = f"correlation ratio η² of each knob alone, over {len(table.keys):,} evaluated networks"
    figure = Figure("Importance of knobs", traces, {**options, "barmode": "group"}, subtitle, obtained, 460)
    lead = (
        "The share of a quantity's variance that lies between the values of one knob. Knobs that matter only together "
        "show little here, and a search that has settled on a value of a knob hides what the others would have done."
    )
    return Panel("importance", "Which knobs matter", "Importance", 45, (figure,), lead)


def correlation_ratios(table: EvaluatedTable, column: TableColumn) -> NDArray[np.float64]:
    """Return the correlation ratio of every knob with more than one value, 0 to 1 (Pearson 1905, Fisher's eta squared).

    Networks whose value is not known are left out; without variance every ratio is 0.
    """
    values = np.array([np.nan if value is None else value for value in column.values], dtype=np.float64)
    known = np.isfinite(values)
    values = values[known]
    total = float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0
    indices = [np.array(knob.index)[known] + 1 for knob in table.knobs if len(knob.values) > 1]
    return np.array([_between(index, values) / total if total > 0 else 0.0 for index in indices])


def _between(index: NDArray[np.intp], values: NDArray[np.float64]) -> float:
    """Return the sum of squares between the groups of equal ``index``."""
    counts = np.bincount(index)
    means = np.bincount(index, weights=values)[counts > 0] / counts[counts > 0]
    return float((counts[counts > 0] * (means - values.mean()) ** 2).sum())


def _bars(column: TableColumn, names: list[str], shares: NDArray[np.float64], place: int) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": plot_text(column.title),
        "y": [plot_text(name) for name in names],
        "x": [round(100 * float(share), 2) for share in shares],
        "marker": {"color": SERIES[place % len(SERIES)]},
        "hovertemplate": f"%{{y}}: %{{x:.1f}} % of {plot_text(column.title)}<extra></extra>",
    }
