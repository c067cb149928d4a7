"""HyperZZW: hyper-kernels multiplied with the activations that they meet (Zhang 2024, arXiv 2401.17948).

Global: a small MLP gives the kernel h at each cell from its coordinates in [-1, 1]^2, one value a channel, and
y = x * (h * x) cell by cell: parameters do not depend on the size of the kernel, which is the map's. Local: a slow net,
linear, makes the 3x3 kernels of an image from the mean of its map, one for each 8 channels. The output is their sum.
A re-implementation from the abstract.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.blocks.lsconv import GROUP_WIDTH, WEIGHTS, aggregate
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import Mlp, add_layer, linear_layer

HIDDEN = 16


def coordinates(size: Size, like: Tensor) -> Tensor:
    """Return row and column of each cell, (H, W, 2), from -1 to 1, on the device and in the type of ``like``."""
    rows, columns = (torch.linspace(-1, 1, side, device=like.device, dtype=like.dtype) for side in size)
    return torch.stack([rows[:, None].expand(size), columns.expand(size)], -1)


class CoordinateKernel(nn.Module):
    """The kernel (C, H, W) that an MLP of the coordinates gives."""

    def __init__(self, width: int, size: Size) -> None:
        super().__init__()
        self.size = size
        self.lift = nn.Linear(2, HIDDEN)
        self.mlp = Mlp(HIDDEN, HIDDEN)
        self.project = nn.Linear(HIDDEN, width)

    def forward(self) -> Tensor:
        """Return the kernel; the sine lets it change quickly from cell to cell."""
        x = torch.sin(self.lift(coordinates(self.size, self.lift.weight)))
        kernel: Tensor = self.project(self.mlp(x))
        return kernel.permute(2, 0, 1)

    @staticmethod
    def layers(width: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what it costs, for one image or for many."""
        cells = size[0] * size[1]
        return (
            linear_layer(2, HIDDEN, cells, held),
            Layer("activation", 0, 0, HIDDEN * cells, HIDDEN * cells, held=held),
            *Mlp.layers(HIDDEN, HIDDEN, cells, held),
            linear_layer(HIDDEN, width, cells, held),
        )


@register_mixer("hyper_zzw")
class HyperZzw(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        place.require_multiple("hyper_zzw", GROUP_WIDTH)
        self.kernel = CoordinateKernel(place.width, place.size)
        self.slow = nn.Linear(place.width, place.width // GROUP_WIDTH * WEIGHTS)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the global and the local part."""
        local = self.slow(x.mean((2, 3))).reshape(x.shape[0], -1, WEIGHTS, 1, 1)
        weighted: Tensor = self.kernel() * x
        return x * weighted + aggregate(x, local)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        place.require_multiple("hyper_zzw", GROUP_WIDTH)
        width, elements = place.width, place.elements
        kept = held + elements
        return (
            Layer("mean", 0, 0, elements, width, held=held),
            linear_layer(width, width // GROUP_WIDTH * WEIGHTS, 1, kept),
            *CoordinateKernel.layers(width, place.size, kept),
            Layer("scale", 0, 0, 2 * elements, elements, held=kept),
            Layer("scale", 0, 0, 2 * elements, elements, held=kept),
            Layer("scale", 0, 0, elements, elements, held=kept + elements),
            add_layer(elements),
        )
