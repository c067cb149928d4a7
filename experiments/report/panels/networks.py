"""The chosen networks: why, what they look like, what they cost, how good and how fast they are, their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from experiments.report.block_labels import MEANINGS, block_labels, setting_text, size_text
from experiments.report.data import ChosenNetwork, ReportData
from experiments.report.drawing import draw, kind_colors
from experiments.report.formats import byte_count, grouped, quantity_cell, scaled
from experiments.report.names import counting_title, quantity_title
from experiments.report.panel import (
    PANELS,
    Card,
    Cell,
    Column,
    Drawing,
    Element,
    Facts,
    Fold,
    Panel,
    Table,
    Tile,
    Tiles,
)
from search_spaces.blueprint import Blueprint, PlacedBlock

WIDE, NARROW = 1000.0, 320.0


@PANELS.register("networks")
def networks(data: ReportData) -> Panel | None:
    """Return the panel, one card a network."""
    if not data.networks:
        return None
    cards = [_card(network) for network in data.networks]
    return Panel("networks", "Chosen networks", "Networks", 70, cards, _lead(data.networks, data.counting))


def network_panel(network: ChosenNetwork, counting: str) -> Panel:
    """Return a panel of one network alone."""
    return Panel("network", network.label, network.label, 0, [_card(network)], _lead([network], counting))


def _lead(shown: Sequence[ChosenNetwork], counting: str) -> str:
    written = {name for network in shown for block in network.read_blueprint().placed() for name in block.arguments}
    meanings = ", ".join(text for name, text in MEANINGS.items() if name in written)
    return (
        "Each box is a block: its width grows with the square root of the channels, its height with that of the "
        f"resolution; ↓2 is a stride. {meanings}. Point at a block for all its settings. Costs are of one image, "
        f"{counting_title(counting)}."
    )


def _card(network: ChosenNetwork) -> Card:
    blueprint = network.read_blueprint()
    wide, narrow = (draw(blueprint, network.label, width) for width in (WIDE, NARROW))
    elements: list[Element] = [Drawing(wide, narrow, kind_colors(blueprint)), _costs(network)]
    if network.quantities:
        elements.append(_quantities(network))
    elements.append(Fold("Stages", (_stages(blueprint),)))
    if network.knobs:
        knobs = [(name, Cell(setting_text(value))) for name, value in network.knobs.items()]
        elements.append(Fold(f"Architecture ({len(knobs)} knobs)", (Facts(knobs),)))
    if network.files:
        elements.append(Fold(f"Exported files ({len(network.files)})", (_files(network),)))
    return Card(network.label, elements, network.reason, network.key)


def _costs(network: ChosenNetwork) -> Tiles:
    costs = network.costs
    exact = ((costs.macs, "MACs"), (costs.params, "parameters"), (costs.activations, "activations"))
    tiles = [Tile(what, scaled(value), grouped(value), ("analytic",)) for value, what in exact]
    return Tiles([*tiles, Tile("peak memory", byte_count(costs.peak_memory_bytes), "estimate", ("analytic",))])


def _quantities(network: ChosenNetwork) -> Table:
    rows = [
        [Cell(quantity_title(item.name), item.target), quantity_cell(item.quantity), Cell(item.recipe)]
        for item in network.quantities
    ]
    return Table([Column("Quantity", numeric=False), Column("Value"), Column("How", numeric=False)], rows)


def _stages(blueprint: Blueprint) -> Table:
    columns = [
        Column("Stage", numeric=False),
        Column("Blocks"),
        Column("Channels"),
        Column("Input"),
        Column("Stride"),
        Column("Each block", numeric=False),
    ]
    stages = groupby(blueprint.placed(), key=lambda block: block.name.partition(".")[0])
    return Table(columns, [_stage_row(name, list(group)) for name, group in stages])


def _stage_row(name: str, blocks: list[PlacedBlock]) -> list[Cell]:
    strides = [int(block.arguments.get("stride", 1)) for block in blocks]
    return [
        Cell(name, _kinds(blocks)),
        Cell(str(len(blocks))),
        Cell(str(blocks[0].out_width)),
        Cell(size_text(blocks[0].in_size)),
        Cell(" ".join(map(str, strides)) if len(set(strides)) > 2 else str(max(strides))),
        Cell(" · ".join(" ".join(block_labels(block)) for block in blocks)),
    ]


def _kinds(blocks: Iterable[PlacedBlock]) -> str:
    return ", ".join(dict.fromkeys(block.kind for block in blocks))


def _files(network: ChosenNetwork) -> Table:
    columns = [Column("File", numeric=False), Column("Size"), Column("SHA-256", numeric=False)]
    rows = [[Cell(file.name), Cell(byte_count(file.num_bytes)), Cell(file.sha256)] for file in network.files]
    return Table(columns, rows)
