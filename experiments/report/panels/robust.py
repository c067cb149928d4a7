"""Several targets at once: the few networks that together lose least of all fronts."""

from __future__ import annotations

from experiments.report.data import ReportData
from experiments.report.panel import PANELS, Card, Cell, Column, Panel, Table


@PANELS.register("robust")
def robust(data: ReportData) -> Panel | None:
    """Return the panel; none for a single target."""
    if data.robust is None:
        return None
    found = data.robust
    columns = [
        Column("Target", numeric=False),
        Column("Lost by the robust set", "% of the front's hypervolume"),
        Column("Lost by the chosen networks", "% of the front's hypervolume"),
    ]
    rows = [
        [Cell(target), Cell(f"{100 * lost:.2f}"), Cell(f"{100 * found.chosen_lost[target]:.2f}")]
        for target, lost in found.lost.items()
    ]
    means = [100 * sum(each.values()) / len(each) for each in (found.lost, found.chosen_lost)]
    rows.append([Cell("mean"), *(Cell(f"{mean:.2f}") for mean in means)])
    lead = (
        f"If only {len(found.labels)} networks can be kept for all {len(found.lost)} targets, these lose least of the "
        f"fronts, summed over the targets: {', '.join(found.labels)}. {found.reference}"
    )
    card = Card(", ".join(found.labels), (Table(columns, rows, marked=frozenset({len(rows) - 1})),))
    return Panel("robust", "One set for all targets", "Robust set", 35, [card], lead)
