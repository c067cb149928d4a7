"""The way from one stage to the next: a norm by name, then a convolution whose kernel is its stride (Liu et al. 2022).

The norm ends the stage before. ``in`` there is IBN-b: InstanceNorm behind the last residual sum (Pan et al. 2018).
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import padded_to_stride, plain_conv_layer
from search_spaces.norms import NamedNorm, norm_layers


@register_block("norm_reduction")
class NormReduction(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); odd sides are padded by zeros."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, norm: str = "bn", stride: int = 2) -> None:
        super().__init__()
        self.stride = stride
        self.norm = NamedNorm(norm, in_width)
        self.projection = nn.Conv2d(in_width, out_width, stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map."""
        reduced: Tensor = self.projection(padded_to_stride(self.norm(x), self.stride))
        return reduced

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, norm: str = "bn", stride: int = 2) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            *norm_layers(norm, in_width, in_size),
            plain_conv_layer(in_width, out_width, in_size, stride, stride),
        )
