"""Counting by density: a hierarchical mixture of density experts (Du et al. 2022, arXiv 2208.02894), from the abstract.

One expert a level of the pyramid estimates how densely objects lie. From coarse to fine, a gating net weights at every
pixel the level's own expert against what the coarser ones have merged to; its two weights are a softmax and sum to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.prediction import Prediction
from search_spaces.pyramid import Lateral, Levels, backbone_levels, resize_layers, resized

FIRST_DENSITY = -4.0
"""Before softplus: networks begin with few objects, as most of an image is empty."""
UNIT_CELLS = 1024
"""An expert's 1 is an object on 1/1024 of the image, so that shared experts mean the same on maps of any size."""


@register_block("counting_head")
class CountingHead(nn.Module):
    """The levels of a pyramid -> objects in each cell (N, out_width, H, W) of the finest level; their sum is the count.

    ``out_width`` kinds of objects are counted apart; the gates are of all.
    """

    uses_size = True

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, levels: Levels, decoder_width: int = 32
    ) -> None:
        super().__init__()
        self.sizes = [level.size for level in backbone_levels(levels)]
        names = [level.name for level in backbone_levels(levels)]
        self.lateral = Lateral(levels, decoder_width, "relu")
        self.expert = nn.ModuleDict({name: Prediction(decoder_width, out_width, start=FIRST_DENSITY) for name in names})
        self.gate = nn.ModuleDict({name: Prediction(decoder_width, 2) for name in names[:-1]})

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Return the objects in each cell."""
        maps = self.merged_maps(x)
        experts = [nn.functional.softplus(net(one)) for net, one in zip(self.expert.values(), maps, strict=True)]
        density = experts.pop()
        for size, expert, gate in reversed(list(zip(self.sizes, experts, self.gates(maps), strict=False))):
            density = gate[:, :1] * expert + gate[:, 1:] * resized(density, size)
        return density * (UNIT_CELLS / (self.sizes[0][0] * self.sizes[0][1]))

    def merged_maps(self, x: Sequence[Tensor]) -> list[Tensor]:
        """Return a map of each level, fine to coarse, each with all coarser ones added."""
        maps: list[Tensor] = self.lateral(x)
        for number in range(len(maps) - 2, -1, -1):
            maps[number] = maps[number] + resized(maps[number + 1], self.sizes[number])
        return maps

    def gates(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the weights (N, 2, H, W) of the own expert and the coarser ones, at every level but the coarsest."""
        return [torch.softmax(net(one), 1) for net, one in zip(self.gate.values(), maps[:-1], strict=True)]

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, levels: Levels, decoder_width: int = 32
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        sizes = [level.size for level in backbone_levels(levels)]
        found = list(Lateral.layers(levels, decoder_width, "relu"))
        for size in sizes:
            cells = out_width * size[0] * size[1]
            found += [Prediction.layer(decoder_width, out_width, size), Layer("activation", 0, 0, cells, cells)]
        for size, coarser in pairwise(sizes):
            cells = size[0] * size[1]
            found += [
                *resize_layers(decoder_width, coarser, size, decoder_width * cells),
                Layer("add", 0, 0, 2 * decoder_width * cells, decoder_width * cells),
                Prediction.layer(decoder_width, 2, size),
                Layer("activation", 0, 0, 2 * cells, 2 * cells),
                *resize_layers(out_width, coarser, size, (2 + out_width) * cells),
                *(Layer("scale", 0, 0, (1 + out_width) * cells, out_width * cells),) * 2,
                Layer("add", 0, 0, 2 * out_width * cells, out_width * cells),
            ]
        outputs = out_width * sizes[0][0] * sizes[0][1]
        return (*found, Layer("scale", 0, 0, outputs, outputs))
