"""How the accuracy, or the metric of the task, of the chosen networks changed from prediction to what was exported."""

from __future__ import annotations

from experiments.report.data import ChosenNetwork, Quantity, ReportData, ReportMetric
from experiments.report.formats import quantity_cell
from experiments.report.panel import PANELS, Card, Cell, Column, Panel, Table

STEPS = {
    "predicted_validation_METRIC": ("Predicted", "from the other networks"),
    "searched_validation_METRIC": ("In the search", "inherited weights"),
    "validation_METRIC": ("Evaluated again", "alone, inherited weights"),
    "validation_METRIC_fine_tuned": ("Fine-tuned", "validation images"),
    "validation_METRIC_re_trained": ("Re-trained", "from scratch, validation images"),
    "test_METRIC": ("Test, inherited", "images that no choice saw"),
    "test_METRIC_fine_tuned": ("Test, fine-tuned", "images that no choice saw"),
    "test_METRIC_re_trained": ("Test, re-trained", "images that no choice saw"),
}


@PANELS.register("changes")
def changes(data: ReportData) -> Panel | None:
    """Return the panel, one row a network; steps that no network went through are left out."""
    known = {network.label: steps_of(network, data.metric) for network in data.networks}
    steps = [name for name in STEPS if any(name in found for found in known.values())]
    if len(steps) < 2:
        return None
    columns = [Column("Network", numeric=False), *(Column(*STEPS[name]) for name in steps)]
    rows = [[Cell(label), *_cells(found, steps)] for label, found in known.items()]
    unit = "points" if data.metric.unit == "%" else data.metric.unit
    lead = (
        f"From left to right, the {data.metric.title} of each chosen network as it came to be known; below each, its "
        f"interval or deviation and the change in {unit} from the value before of the same images. Intervals of 95 % "
        "are bootstraps over the images."
    )
    return Panel(
        "changes", f"What changed in {data.metric.title}", "Changes", 75, [Card("", (Table(columns, rows),))], lead
    )


def steps_of(network: ChosenNetwork, metric: ReportMetric) -> dict[str, Quantity]:
    """Return the values of the metric of a network by step."""
    found = {item.name.replace(metric.name, "METRIC"): item.quantity for item in network.quantities}
    return {name: quantity for name, quantity in found.items() if name in STEPS}


def _cells(found: dict[str, Quantity], steps: list[str]) -> list[Cell]:
    cells = []
    before: dict[bool, Quantity] = {}
    for name in steps:
        if name not in found:
            cells.append(Cell("-"))
            continue
        of_test = name.startswith("test")
        cell = quantity_cell(found[name])
        if of_test in before:
            change = found[name].value - before[of_test].value
            cell = Cell(cell.text, f"{change:+.2f}; {cell.note}".rstrip("; "), cell.title, cell.obtained)
        before[of_test] = found[name]
        cells.append(cell)
    return cells
