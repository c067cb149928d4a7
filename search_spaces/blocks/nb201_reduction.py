"""The residual block between the stages of NATS-Bench's networks (Dong et al. 2021): half the resolution."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ReluConvNorm, Size, relu_conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer


@register_block("nb201_reduction")
class Nb201Reduction(nn.Module):
    """Two ReLU-conv3x3-BatchNorm, beside average pooling 2x2 and a 1x1 convolution without norm.

    (N, in_width, H, W) -> (N, out_width, ceil(H / 2), ceil(W / 2)). The pooled window of an odd side's last pixel is
    that pixel alone.
    """

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> None:
        super().__init__()
        _check_stride(stride)
        self.first = ReluConvNorm(in_width, out_width, 3, 2)
        self.second = ReluConvNorm(out_width, out_width, 3)
        self.shortcut = nn.Conv2d(in_width, out_width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both paths."""
        pooled = nn.functional.avg_pool2d(x, 2, 2, ceil_mode=True)
        out: Tensor = self.shortcut(pooled) + self.second(self.first(x))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_stride(stride)
        size = strided(in_size, 2)
        inputs, cells = in_width * in_size[0] * in_size[1], size[0] * size[1]
        pooled, outputs, weight = in_width * cells, out_width * cells, in_width * out_width
        return (
            *relu_conv_layers(in_width, out_width, in_size, 3, 2, held=inputs),
            *relu_conv_layers(out_width, out_width, size, 3, held=inputs),
            Layer("avg_pool", 0, 0, inputs, pooled, held=outputs),
            Layer("conv", weight * cells, weight, pooled, outputs, held=outputs),
            Layer("add", 0, 0, 2 * outputs, outputs),
        )


def _check_stride(stride: int) -> None:
    if stride != 2:
        raise UsageError(f"an nb201_reduction block got stride {stride}: allowed: 2")
