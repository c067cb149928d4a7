"""VoVNet's stem: three 3x3 convolutions, of which the first and the last stride (Lee et al. 2019, table 2)."""

from __future__ import annotations

from torch import nn

from search_spaces.block import register_block
from search_spaces.blocks.separable_conv import conv3x3, conv3x3_layers
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer

STRIDES = {1: (1, 1), 2: (2, 1), 4: (2, 2)}


def _strides(stride: int) -> tuple[int, int]:
    if stride not in STRIDES:
        raise UsageError(f"stride of VoVNet's stem got {stride}: allowed: {', '.join(map(str, STRIDES))}")
    return STRIDES[stride]


@register_block("vovnet_stem")
class VoVNetStem(nn.Sequential):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); the first two have ``first_width``.

    ``separable`` makes the second and third separable convolutions.
    """

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, first_width: int, stride: int, separable: bool = False
    ) -> None:
        super().__init__()
        first, last = _strides(stride)
        self.conv1 = conv3x3(in_width, first_width, first, separable=False)
        self.conv2 = conv3x3(first_width, first_width, 1, separable)
        self.conv3 = conv3x3(first_width, out_width, last, separable)

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, first_width: int, stride: int, separable: bool = False
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        first, last = _strides(stride)
        inner = strided(in_size, first)
        return (
            *conv3x3_layers(in_width, first_width, in_size, first, separable=False),
            *conv3x3_layers(first_width, first_width, inner, 1, separable),
            *conv3x3_layers(first_width, out_width, inner, last, separable),
        )
