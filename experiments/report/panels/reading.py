"""How to read the report: the badges, the counting rule, the limits."""

from __future__ import annotations

from experiments.report.data import ReportData
from experiments.report.formats import TIMES
from experiments.report.names import counting_title
from experiments.report.panel import PANELS, Legend, Panel, Points


@PANELS.register("reading")
def reading(data: ReportData) -> Panel:
    """Return the panel."""
    counted = (
        f"MACs are multiply-accumulates of one image ({counting_title(data.counting)}); FLOPs = 2 {TIMES} MACs. "
        "Parameters and activations (elements that those operations write) are exact; peak memory is an estimate for "
        "float32."
    )
    limits = [counted, *data.notes]
    return Panel("reading", "How to read the numbers", "Reading", 20, (Legend(), Points(limits)))
