"""Convolutional stem of ViT-C (Xiao et al. 2021, arXiv 2106.14881): 3x3 convolutions of stride 2, then 1x1.

log2(stride) of the first with BatchNorm and ReLU, each twice as wide as the one before, the last as wide as the output;
a 1x1 convolution with bias ends the stem. The paper drops one transformer block to keep the MACs.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import plain_conv, plain_conv_layer

STRIDES = (2, 4, 8, 16, 32)


@register_block("early_conv_stem")
class EarlyConvStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); the stride is a power of two."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__()
        widths = [in_width, *_widths(out_width, stride)]
        self.convs = nn.Sequential()
        for before, after in pairwise(widths):
            self.convs.append(ConvNormAct(before, after, 3, 2, activation="relu"))
        self.projection = plain_conv(out_width, out_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        out: Tensor = self.projection(self.convs(x))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        found: list[Layer] = []
        for width in _widths(out_width, stride):
            found += conv_layers(in_width, width, in_size, 3, 2, activation="relu")
            in_width, in_size = width, strided(in_size, 2)
        return (*found, plain_conv_layer(out_width, out_width, in_size, 1))


def _widths(out_width: int, stride: int) -> list[int]:
    """Return the width of each convolution of stride 2."""
    if stride not in STRIDES:
        raise UsageError(f"an early_conv_stem got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
    num = stride.bit_length() - 1
    if out_width % 2 ** (num - 1):
        raise UsageError(
            f"an early_conv_stem of stride {stride} got width {out_width}: allowed: multiples of {2 ** (num - 1)}"
        )
    return [out_width // 2 ** (num - 1 - index) for index in range(num)]
