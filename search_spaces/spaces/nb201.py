"""NATS-Bench's topology space (Dong et al. 2021; the cells of NAS-Bench-201): the operators of one cell, 15,625 cells.

``form="topology"`` is the published network (32 pixels, width 16, five cells a stage, 10 classes);
``form="small_image"`` is the same for images of 8 to 64 pixels, with width, depth and resolution as knobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, field_validator

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.knobs import Knob
from search_spaces.nb201_cells import EDGES, OPERATORS, cell_operators, cell_text
from search_spaces.nb201_structure import cell_structure, live_one_hot, path_counts
from search_spaces.space import Genes, SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

STAGES = (1, 2, 3)


def nb201(
    cell: str, *, width: int, depth: int, resolution: tuple[int, int], num_classes: int, in_channels: int
) -> Blueprint:
    """Return the network of ``cell``: three stages of ``depth`` cells, ``width``, 2 ``width`` and 4 ``width`` wide."""
    cells = depth * (Block.of("nb201_cell", cell=cell),)
    reduction = (Block.of("nb201_reduction", stride=2),)
    stages = [Stage(f"stage{n}", width << (n - 1), cells if n == 1 else reduction + cells) for n in STAGES]
    return Blueprint(
        family="nb201",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of("conv_stem", kernel=3, stride=1, activation="none"),)),
        stages=tuple(stages),
        head=Stage("head", num_classes, (Block.of("norm_head"),)),
    )


@dataclass(frozen=True)
class Form:
    """The choices of one form."""

    operators: tuple[str, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    resolutions: tuple[int, ...]


FORMS = {
    "topology": Form(OPERATORS, (16,), (5,), (32,)),
    "small_image": Form(OPERATORS[1:4], (4, 6), (1, 2), (8, 12)),
}


class Nb201Settings(SpaceSettings):
    """Settings of the space; tuples that are left out come from the form.

    ``operators`` are those that an edge may have: the tables of exact costs have (1 + their number) ** 6 rows a cell.
    """

    form: Literal["topology", "small_image"] = "topology"
    num_classes: int = Field(10, ge=1)
    operators: tuple[str, ...] | None = Field(None, min_length=1)
    widths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    depths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)

    @field_validator("operators")
    @classmethod
    def _known(cls, operators: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for operator in operators or ():
            if operator not in OPERATORS:
                raise ValueError(f"unknown operator {operator!r}: allowed: {', '.join(OPERATORS)}")
        return operators


def edge_knob(node: int, source: int) -> str:
    """Return the knob of one edge."""
    return f"cell.node{node}_from{source}"


EDGE_KNOBS = tuple(edge_knob(*edge) for edge in EDGES)


@spaces.register("nb201")
class Nb201(SearchSpace):
    """NATS-Bench's topology space. Every stage repeats one cell; stages 2 and 3 start with a residual reduction."""

    name = "nb201"
    Settings = Nb201Settings
    settings: Nb201Settings

    def __init__(self, settings: Nb201Settings) -> None:
        form = FORMS[settings.form]
        self.operators = settings.operators or form.operators
        self.widths = settings.widths or form.widths
        self.depths = settings.depths or form.depths
        self.resolutions = settings.resolutions or form.resolutions
        super().__init__(settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, width, cells a stage, then the operator of each edge."""
        return [
            Knob("resolution", self.resolutions),
            Knob("width", self.widths),
            Knob("depth", self.depths),
            *(Knob(name, self.operators, ordered=False) for name in EDGE_KNOBS),
        ]

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: convolution, three stages of cells, BatchNorm, global pooling, classifier."""
        values = architecture.values
        side = int(values["resolution"])
        return nb201(
            cell_text(tuple(str(values[name]) for name in EDGE_KNOBS)),
            width=int(values["width"]),
            depth=int(values["depth"]),
            resolution=(side, side),
            num_classes=self.settings.num_classes,
            in_channels=self.settings.in_channels,
        )

    def structure(self, genes: Genes) -> dict[str, NDArray[np.float64]]:
        """Return what each row's cell computes: live edges, counts over paths, sequences of operators."""
        named = np.array([OPERATORS.index(operator) for operator in self.operators])
        operators = named[genes[:, [self.column[knob] for knob in EDGE_KNOBS]]]
        return {
            "cell": cell_structure(operators),
            "live": live_one_hot(operators),
            "paths": path_counts(operators),
        }

    def of_cell(self, text: str) -> Architecture:
        """Return the architecture of a cell in NATS-Bench's notation, at the largest width, depth and resolution.

        Raises:
            UsageError: another structure, or an operator that the space lacks.
        """
        others = {knob.name: knob.values[-1] for knob in self.knobs[:3]}
        return self.architecture({**others, **dict(zip(EDGE_KNOBS, cell_operators(text), strict=True))})

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on."""
        size = ("resolution", "width")
        found: dict[str, tuple[str, ...]] = {"stem": size, "head": size}
        for stage in STAGES:
            reductions = 0 if stage == 1 else 1
            if reductions:
                found[f"stage{stage}.block1"] = size
            for cell in range(1, self.depths[-1] + 1):
                found[f"stage{stage}.block{reductions + cell}"] = (*size, "depth", *EDGE_KNOBS)
        return found
