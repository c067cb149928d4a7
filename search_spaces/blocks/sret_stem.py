"""SReT's stem (Shen et al. 2022): three 3x3 convolutions with bias, BatchNorm and ReLU; learned positions are added.

The first convolution gives half of the width. Positions are one number for each channel and cell; those of a smaller
map are resized (bicubic).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import declare, resized
from search_spaces.maps import plain_conv, plain_conv_layer

STRIDES = {1: (1, 1, 1), 2: (2, 1, 1), 4: (2, 2, 1), 8: (2, 2, 2)}


class BiasedConvNormRelu(nn.Module):
    """relu(norm(conv(x))) of a 3x3 convolution with bias."""

    def __init__(self, in_width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.conv = plain_conv(in_width, out_width, 3, stride)
        self.norm = nn.BatchNorm2d(out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        return nn.functional.relu(self.norm(self.conv(x)))

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size = strided(in_size, stride)
        elements = out_width * size[0] * size[1]
        return (
            plain_conv_layer(in_width, out_width, in_size, 3, stride),
            Layer("batch_norm", 0, 2 * out_width, elements, elements),
            Layer("activation", 0, 0, elements, elements),
        )


class MapPositions(nn.Module):
    """x + positions, on a map (N, width, H, W)."""

    def __init__(self, width: int, size: Size) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.empty(1, width, *size))
        declare(self.positions, 1, width, resized(size[0]), resized(size[1]))

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill the positions: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map with its positions."""
        return x + self.positions


@register_block("sret_stem")
class SretStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); the stride is 1, 2, 4 or 8."""

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__()
        first, second, third = _strides(stride)
        self.first = BiasedConvNormRelu(in_width, out_width // 2, first)
        self.second = BiasedConvNormRelu(out_width // 2, out_width, second)
        self.third = BiasedConvNormRelu(out_width, out_width, third)
        self.place = MapPositions(out_width, strided(in_size, stride))

    def forward(self, x: Tensor) -> Tensor:
        """Return the map with its positions."""
        placed: Tensor = self.place(self.third(self.second(self.first(x))))
        return placed

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        first, second, third = _strides(stride)
        halved, size = strided(in_size, first), strided(in_size, stride)
        elements = out_width * size[0] * size[1]
        return (
            *BiasedConvNormRelu.layers(in_width, out_width // 2, in_size, first),
            *BiasedConvNormRelu.layers(out_width // 2, out_width, halved, second),
            *BiasedConvNormRelu.layers(out_width, out_width, strided(halved, second), third),
            Layer("add", 0, elements, 2 * elements, elements),
        )


def _strides(stride: int) -> tuple[int, int, int]:
    if stride not in STRIDES:
        raise UsageError(f"an sret_stem got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
    return STRIDES[stride]
