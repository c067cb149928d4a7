"""MaxViT's stem (Tu et al. 2022): 3x3 convolution of stride 2, BatchNorm, GELU, 3x3 convolution, both with bias."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size, strided
from search_spaces.layers import Layer
from search_spaces.maps import plain_conv, plain_conv_layer

BATCH_NORM_EPSILON = 1e-3


@register_block("maxvit_stem")
class MaxVitStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> None:
        super().__init__()
        self.first = plain_conv(in_width, out_width, 3, stride)
        self.norm = nn.BatchNorm2d(out_width, BATCH_NORM_EPSILON)
        self.second = plain_conv(out_width, out_width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        out: Tensor = self.second(nn.functional.gelu(self.norm(self.first(x))))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size = strided(in_size, stride)
        elements = out_width * size[0] * size[1]
        return (
            plain_conv_layer(in_width, out_width, in_size, 3, stride),
            Layer("batch_norm", 0, 2 * out_width, elements, elements),
            Layer("activation", 0, 0, elements, elements),
            plain_conv_layer(out_width, out_width, size, 3),
        )
