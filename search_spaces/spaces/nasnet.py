"""NASNet-A (Zoph et al. 2018) and PNASNet-5 (Liu et al. 2018): filters, cells a stage and resolution of cell networks.

``form`` is a published setting (``nasnet_mobile``, ``nasnet_large``, ``pnasnet_mobile``, ``pnasnet_large``,
``nasnet_cifar``) or ``small_image`` for images of 8 to 64 pixels. ``filters`` are those of the first stage's cells;
each reduction doubles them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.knobs import Knob
from search_spaces.nas_wiring import wiring
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

NUM_STAGES = 3


@dataclass(frozen=True)
class Sizes:
    """The sizes of one network.

    Attributes:
        cell: its cell.
        filters: F of the first stage.
        depth: cells of stride 1 in a stage (NASNet), or cells in a stage (PNASNet).
        conv_width: of the stem's convolution.
        stem_stride: 8, or 1 for small images.
        skip_input: whether the cell after a reduction reads what stood two cells before the reduction.
        drop_path: of the last cell, at the end of training; cell i of n has i / n of it.
    """

    cell: str
    filters: int
    depth: int
    conv_width: int
    stem_stride: int = 8
    skip_input: bool = False
    drop_path: float = 0.0


class _Cells:
    """Makes cells one after another, following the widths and sizes of the two maps that the next one reads."""

    def __init__(self, sizes: Sizes, prev_width: int, prev_stride: int, width: int, first: int, total: int) -> None:
        self.sizes, self.prev_width, self.prev_stride, self.width = sizes, prev_width, prev_stride, width
        self.number, self.total = first, total

    def next(self, filters: int, stride: int, skip_input: bool = False) -> tuple[int, Block]:
        """Return the width and the block of the next cell."""
        self.number += 1
        block = Block.of(
            "nas_cell",
            cell=self.sizes.cell,
            prev_width=self.prev_width,
            prev_stride=self.prev_stride,
            stride=stride,
            reduces=stride == 2,
            skip_input=skip_input,
            drop_path=self.sizes.drop_path * self.number / self.total,
        )
        kept = self.prev_width if skip_input else self.width
        self.prev_width, self.prev_stride = kept, stride
        self.width = filters * len(wiring(self.sizes.cell, stride).outputs)
        return self.width, block


def nasnet(sizes: Sizes, *, resolution: tuple[int, int], num_classes: int, in_channels: int) -> Blueprint:
    """Return the network of ``sizes``: stem, three stages of cells, the resolution halved between them, head.

    NASNet's reduction cells are stages of their own (2 and 4), since their width is another; PNASNet's are the first
    cells of stages 2 and 3.
    """
    apart = sizes.cell == "nasnet_a"
    stem_cells = 2 if sizes.stem_stride > 1 else 0
    total = stem_cells + NUM_STAGES * sizes.depth + (NUM_STAGES - 1 if apart else 0)
    stem, cells = _stem(sizes, stem_cells, total)
    stages: list[Stage] = []
    for index in range(NUM_STAGES):
        filters = sizes.filters << index
        if index and apart:
            width, block = cells.next(filters, 2, sizes.skip_input)
            stages.append(Stage(f"stage{2 * index}", width, (block,)))
        strides = [2 if index and not apart and number == 0 else 1 for number in range(sizes.depth)]
        made = [cells.next(filters, stride) for stride in strides]
        name = f"stage{2 * index + 1}" if apart else f"stage{index + 1}"
        stages.append(Stage(name, made[-1][0], tuple(block for _, block in made)))
    return Blueprint(
        family="nasnet",
        in_channels=in_channels,
        resolution=resolution,
        stem=stem,
        stages=tuple(stages),
        head=Stage("head", num_classes, (Block.of("nas_head"),)),
    )


def _stem(sizes: Sizes, stem_cells: int, total: int) -> tuple[Stage, _Cells]:
    parts = len(wiring(sizes.cell, 2).outputs)
    width = parts * (sizes.filters // 2) if stem_cells else sizes.conv_width
    first_width = parts * (sizes.filters // 4) if stem_cells else 0
    block = Block.of(
        "nas_stem",
        cell=sizes.cell,
        conv_width=sizes.conv_width,
        first_width=first_width,
        stride=sizes.stem_stride,
        drop_path=sizes.drop_path * stem_cells / total,
    )
    cells = _Cells(sizes, first_width or width, 2 if stem_cells else 1, width, stem_cells, total)
    return Stage("stem", width, (block,)), cells


@dataclass(frozen=True)
class Form:
    """The largest network of one form and its choices."""

    sizes: Sizes
    filters: tuple[int, ...]
    depths: tuple[int, ...]
    resolutions: tuple[int, ...]


NASNET_LARGE = Sizes("nasnet_a", 168, 6, 96, skip_input=True, drop_path=0.3)
NASNET_MOBILE = Sizes("nasnet_a", 44, 4, 32)
NASNET_CIFAR = Sizes("nasnet_a", 32, 6, 96, stem_stride=1, drop_path=0.4)
PNASNET_LARGE = Sizes("pnasnet5", 216, 4, 96, skip_input=True, drop_path=0.4)
PNASNET_MOBILE = Sizes("pnasnet5", 54, 3, 32, skip_input=True)
SMALL = Sizes("nasnet_a", 6, 3, 8, stem_stride=1)
FORMS = {
    "nasnet_large": Form(NASNET_LARGE, (84, 112, 140, 168), (4, 5, 6), (267, 299, 331)),
    "nasnet_mobile": Form(NASNET_MOBILE, (24, 32, 44), (2, 3, 4), (160, 192, 224)),
    "nasnet_cifar": Form(NASNET_CIFAR, (16, 24, 32), (2, 4, 6), (32,)),
    "pnasnet_large": Form(PNASNET_LARGE, (108, 144, 180, 216), (2, 3, 4), (267, 299, 331)),
    "pnasnet_mobile": Form(PNASNET_MOBILE, (28, 40, 54), (2, 3), (160, 192, 224)),
    "small_image": Form(SMALL, (2, 4, 6), (2, 3), (8, 10)),
}


class NasnetSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form.

    Two cells a stage are the least: with one, the second map that a cell reads would be of another kind (the stem's for
    a cell's, or one of another size), for which shared weights have no tensor.
    """

    form: Literal["nasnet_large", "nasnet_mobile", "nasnet_cifar", "pnasnet_large", "pnasnet_mobile", "small_image"] = (
        "nasnet_mobile"
    )
    cell: Literal["nasnet_a", "pnasnet5"] | None = None
    filters: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    depths: tuple[Annotated[int, Field(ge=2)], ...] | None = Field(None, min_length=1)
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    drop_path: float = Field(0.0, ge=0, lt=1)


@spaces.register("nasnet")
class Nasnet(SearchSpace):
    """NASNet. ``drop_path`` is 0 unless the settings give it: shared weights drop whole cells already."""

    name = "nasnet"
    Settings = NasnetSettings
    has_pyramid = False
    settings: NasnetSettings

    def __init__(self, settings: NasnetSettings) -> None:
        form = FORMS[settings.form]
        self.sizes = replace(form.sizes, cell=settings.cell or form.sizes.cell, drop_path=settings.drop_path)
        self.filters = settings.filters or form.filters
        self.depths = settings.depths or form.depths
        self.resolutions = settings.resolutions or form.resolutions
        super().__init__(settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, filters and cells a stage."""
        return [
            Knob("resolution", self.resolutions),
            Knob("filters", self.filters),
            Knob("depth", self.depths),
        ]

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network."""
        values = architecture.values
        side = int(values["resolution"])
        return nasnet(
            replace(self.sizes, filters=int(values["filters"]), depth=int(values["depth"])),
            resolution=(side, side),
            num_classes=self.settings.num_classes,
            in_channels=self.settings.in_channels,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: all of it, since a cell reads the maps of two before it."""
        everything = ("resolution", "filters", "depth")
        return {placed.name: everything for placed in self.blueprint(self.largest()).placed()}
