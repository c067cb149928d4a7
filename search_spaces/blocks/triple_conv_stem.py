"""LSNet's stem: three 3x3 convolutions with BatchNorm, to a quarter, half and all of the width, ReLU between them."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import check_least_width

STRIDES = {1: (1, 1, 1), 2: (2, 1, 1), 4: (2, 2, 1), 8: (2, 2, 2)}


@register_block("triple_conv_stem")
class TripleConvStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); the stride is 1, 2, 4 or 8."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__()
        first, second, third = _strides(stride, out_width)
        quarter, half = out_width // 4, out_width // 2
        self.first = ConvNormAct(in_width, quarter, 3, first, activation="relu")
        self.second = ConvNormAct(quarter, half, 3, second, activation="relu")
        self.third = ConvNormAct(half, out_width, 3, third)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        out: Tensor = self.third(self.second(self.first(x)))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        first, second, third = _strides(stride, out_width)
        quarter, half = out_width // 4, out_width // 2
        size = strided(in_size, first)
        return (
            *conv_layers(in_width, quarter, in_size, 3, first, activation="relu"),
            *conv_layers(quarter, half, size, 3, second, activation="relu"),
            *conv_layers(half, out_width, strided(size, second), 3, third),
        )


def _strides(stride: int, width: int) -> tuple[int, int, int]:
    if stride not in STRIDES:
        raise UsageError(f"a triple_conv_stem got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
    check_least_width("triple_conv_stem", width, 4)
    return STRIDES[stride]
