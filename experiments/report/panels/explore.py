"""Every evaluated network, to brush and filter: points and parallel coordinates of quantities and knobs."""

from __future__ import annotations

from experiments.report.data import ReportData
from experiments.report.panel import PANELS, Explorer, Panel


@PANELS.register("explore")
def explore(data: ReportData) -> Panel | None:
    """Return the panel."""
    if len(data.table.columns) < 2 or not data.table.keys:
        return None
    lead = (
        "Drag in the points or along an axis to filter both. On the line no network is better in both quantities; "
        "rings mark the chosen ones, and a click on a point leads to what else is known of it."
    )
    return Panel("explore", "Explore the networks", "Explore", 15, (Explorer(data.table),), lead)
