"""UniRepLKNet's stem: 3x3 convolution to half the width, norm over channels, GELU, 3x3 convolution, norm."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import ConvDown, check_least_width

STRIDES = {1: (1, 1), 2: (2, 1), 4: (2, 2)}


@register_block("double_conv_stem")
class DoubleConvStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); the stride is 1, 2 or 4."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__()
        first, second = _strides(stride, out_width)
        self.first = ConvDown(in_width, out_width // 2, first, decomposed=True)
        self.second = ConvDown(out_width // 2, out_width, second, decomposed=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        out: Tensor = self.second(nn.functional.gelu(self.first(x)))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        first, second = _strides(stride, out_width)
        size = strided(in_size, first)
        elements = (out_width // 2) * size[0] * size[1]
        return (
            *ConvDown.layers(in_width, out_width // 2, in_size, first, decomposed=True),
            Layer("activation", 0, 0, elements, elements),
            *ConvDown.layers(out_width // 2, out_width, size, second, decomposed=True),
        )


def _strides(stride: int, width: int) -> tuple[int, int]:
    if stride not in STRIDES:
        raise UsageError(f"a double_conv_stem got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
    check_least_width("double_conv_stem", width, 2)
    return STRIDES[stride]
