"""The chosen networks scaled by named rules: what was asked, what came out, what the rule's law foretold."""

from __future__ import annotations

from experiments.report.block_labels import size_text
from experiments.report.data import ReportData, ScalingRow
from experiments.report.formats import TIMES, exact_count, factor
from experiments.report.names import counting_title
from experiments.report.panel import PANELS, Card, Cell, Column, Panel, Table

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
    cards = [
        Card(f"From {base}", (Table(columns, [_cells(row) for row in data.scaling if row.base == base]),))
        for base in bases
    ]
    lead = (
        "Larger and smaller members of the family, made from a chosen network by a rule instead of a search. Below "
        "each count stands the growth that the rule's law foretells; widths and depths are rounded, and stem and head "
        f"do not scale alike, so the two differ. Counted for one image, {counting_title(data.counting)}."
    )
    return Panel("scaling", "Scaling", "Scaling", 80, cards, lead)


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
