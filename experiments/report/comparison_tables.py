"""Tables of a comparison of scaling rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.report.block_labels import size_text
from experiments.report.comparison_figures import rule_name
from experiments.report.data import Quantity
from experiments.report.formats import TIMES, byte_count, exact_count, factor, quantity_cell
from experiments.report.names import counting_title
from experiments.report.panel import Cell, Column, Table

NO_BREAK = "\u00a0"
Row = Mapping[str, Any]


def counts_table(rows: Sequence[Row], counting: str) -> Table:
    """Return shape and counts of every network, with the growth that was achieved and the law's."""
    columns = [
        Column("Rule", numeric=False),
        Column("Asked", f"{TIMES} MACs"),
        Column("Resolution"),
        Column("Depths", "by stage", numeric=False),
        Column("Widths", "by stage", numeric=False),
        *(Column(title, "growth (by law)", obtained=("analytic",)) for title in ("MACs", "Parameters", "Activations")),
        Column("Peak memory", "estimate, one image", obtained=("analytic",)),
    ]
    cells = [
        [
            _rule(row),
            Cell(factor(row["factor"])),
            Cell(size_text((row["resolution"][0], row["resolution"][1]))),
            Cell(NO_BREAK.join(map(str, row["depths"]))),
            Cell(NO_BREAK.join(map(str, row["widths"]))),
            *(_count(row, name) for name in ("macs", "params", "activations")),
            Cell(byte_count(row["peak_memory_bytes"])),
        ]
        for row in rows
    ]
    return Table(columns, cells, f"Counted for one image, {counting_title(counting)}.")


def _rule(row: Row) -> Cell:
    same = row.get("same_as")
    return Cell(rule_name(row["rule"]), f"the same network as {rule_name(same)}" if same else "", row["rule"])


def _count(row: Row, name: str) -> Cell:
    cell = exact_count(row[name], name)
    if "growth" not in row:
        return cell
    growth = f"{factor(row['growth'][name])} ({factor(row['predicted_growth'][name])})"
    return Cell(cell.text, growth, cell.title)


def timing_table(rows: Sequence[Row]) -> Table:
    """Return latencies, training time and accuracy of every network."""
    targets = list(rows[0]["latency"])
    trained = any("test_accuracy" in row for row in rows)
    columns = [
        Column("Rule", numeric=False),
        Column("Asked", f"{TIMES} MACs"),
        *(Column("Latency", name) for name in targets),
        *((Column("Training time", "mean over seeds"), Column("Test accuracy")) if trained else ()),
    ]
    cells = [
        [
            _rule(row),
            Cell(factor(row["factor"])),
            *(_latency(row, name) for name in targets),
            *(_training(row) if trained else ()),
        ]
        for row in rows
    ]
    return Table(columns, cells, "Spread of a latency: half the interquartile range; in brackets: an interval.")


def _latency(row: Row, target: str) -> Cell:
    found = row["latency"].get(target)
    if found is None:
        return Cell("not modelled", "runs at several scales")
    quantity = Quantity(
        value=found["latency_ms"],
        unit="ms",
        obtained=found["obtained"],
        spread=found.get("spread_ms"),
        lower=found.get("low_ms"),
        upper=found.get("high_ms"),
    )
    return quantity_cell(quantity)


def _training(row: Row) -> tuple[Cell, Cell]:
    if "test_accuracy" not in row:
        return Cell("not trained"), Cell("not trained")
    accuracy = Quantity(
        value=row["test_accuracy"],
        unit="%",
        obtained="measured",
        spread=row["test_accuracy_spread"],
        n=len(row["test_accuracies"]),
    )
    seconds = Quantity(value=row["training_s"], unit="s", obtained="measured")
    return quantity_cell(seconds), quantity_cell(accuracy)


def readings_table(found: Mapping[str, Any]) -> Table:
    """Return each rule's accuracy at the common latencies; the best of each is marked in its cell."""
    readings = found["readings"]
    columns = [
        Column("Rule", numeric=False),
        *(
            Column("Test accuracy", f"at {reading['latency_ms']:.3g} ms", obtained=("measured",))
            for reading in readings
        ),
    ]
    rules = [each["rule"] for each in readings[-1]["rules"]] if readings else []
    rows = [[Cell(rule_name(rule)), *(_read(reading, rule) for reading in readings)] for rule in rules]
    return Table(columns, rows)


def _read(reading: Mapping[str, Any], rule: str) -> Cell:
    (row,) = (each for each in reading["rules"] if each["rule"] == rule)
    spread = f" ± {row['spread']:.2f}" if row["spread"] is not None else ""
    note = "best" if reading["best"] == rule else f"{row['behind']:.2f} behind"
    return Cell(f"{row['test_accuracy']:.2f}{spread} %", note)
