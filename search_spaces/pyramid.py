"""The maps that a head over the pyramid reads, gathered while the blocks before it run, and their fusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.blueprint import Level, PlacedBlock
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.tokens import add_layer

Levels = tuple[Level, ...]


class Pyramid:
    """Outputs of the stages that the head of a network reads, kept during one run; none where it reads the last alone.

    Args:
        placed_blocks: of the network, the head last.
        image: its input, (N, C, H, W).
    """

    def __init__(self, placed_blocks: Sequence[PlacedBlock], image: Tensor) -> None:
        self._wanted = frozenset(level.name for level in placed_blocks[-1].levels)
        self._maps: dict[str, Any] = {"image": image} if self._wanted else {}

    def add(self, placed: PlacedBlock, out: Tensor) -> None:
        """Keep what a block gives, if it is of a stage that the head reads; its last block's stays."""
        stage = placed.name.partition(".")[0]
        if stage in self._wanted:
            self._maps[stage] = out

    def input_of(self, placed: PlacedBlock, x: Any) -> Any:
        """Return the input of a block: ``x``, the output of the one before it, or all levels where it reads them."""
        return tuple(self._maps[level.name] for level in placed.levels) if placed.levels else x


def as_map(x: Tensor, level: Level) -> Tensor:
    """Return what a stage gives as a map (N, C, H, W): tokens (N, T, C) are a grid behind T - H x W others.

    Raises:
        UsageError: it is neither, as where a stage gives the tokens of two branches.
    """
    cells = level.size[0] * level.size[1]
    if isinstance(x, Tensor) and x.ndim == 4:
        return x
    if not isinstance(x, Tensor) or x.ndim != 3 or x.shape[1] < cells:
        raise UsageError(
            f"{level.name} gives no map of {level.size[0]} x {level.size[1]}: a head over the pyramid needs a backbone "
            "whose stages give one map or grid of tokens each"
        )
    return x[:, x.shape[1] - cells :].transpose(1, 2).reshape(x.shape[0], x.shape[2], *level.size)


def resized(x: Tensor, size: Size) -> Tensor:
    """Return a map (N, C, H, W) at ``size``, bilinearly; as it is where it has that size."""
    if tuple(x.shape[2:]) == size:
        return x
    return nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def resize_layers(width: int, in_size: Size, out_size: Size, held: int = 0) -> tuple[Layer, ...]:
    """Return what ``resized`` costs for one image."""
    inputs, outputs = width * in_size[0] * in_size[1], width * out_size[0] * out_size[1]
    return () if in_size == out_size else (Layer("upsample", 0, 0, inputs, outputs, held=held),)


def backbone_levels(levels: Levels) -> Levels:
    """Return the levels without the image, from fine to coarse."""
    return levels[1:]


class Lateral(nn.ModuleDict):
    """Each level through its own 1x1 convolution and BatchNorm to one width; the image is left out."""

    def __init__(self, levels: Levels, width: int, activation: str = "none") -> None:
        kept = backbone_levels(levels)
        super().__init__({level.name: ConvNormAct(level.width, width, 1, activation=activation) for level in kept})
        self.levels = kept

    def forward(self, x: Sequence[Tensor]) -> list[Tensor]:
        """Return the maps (N, width, H, W) of all levels but the image."""
        return [self[level.name](as_map(given, level)) for given, level in zip(x[1:], self.levels, strict=True)]

    @staticmethod
    def layers(levels: Levels, width: int, activation: str = "none") -> tuple[Layer, ...]:
        """Return what one image costs; the inputs of the levels to come are alive meanwhile."""
        found: list[Layer] = []
        waiting = sum(level.width * level.size[0] * level.size[1] for level in backbone_levels(levels))
        for level in backbone_levels(levels):
            waiting -= level.width * level.size[0] * level.size[1]
            found += conv_layers(level.width, width, level.size, 1, activation=activation, held=waiting)
        return tuple(found)


class Fusion(nn.Module):
    """All levels as one map of the finest: laterals, resized and added, ReLU (Kirillov et al. 2019, arXiv 1901.02446).

    The levels of a pyramid (the image first) -> (N, width, H, W), H x W of the finest level of the backbone.
    """

    def __init__(self, levels: Levels, width: int) -> None:
        super().__init__()
        self.size = backbone_levels(levels)[0].size
        self.lateral = Lateral(levels, width)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Return the fused map."""
        finest, *others = self.lateral(x)
        for other in others:
            finest = finest + resized(other, self.size)
        return torch.relu(finest)

    @staticmethod
    def layers(levels: Levels, width: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        finest, *others = backbone_levels(levels)
        elements = width * finest.size[0] * finest.size[1]
        found = list(Lateral.layers(levels, width))
        for level in others:
            found += [*resize_layers(width, level.size, finest.size, elements), add_layer(elements)]
        return (*found, Layer("activation", 0, 0, elements, elements))
