"""Depthwise separable convolution: depthwise 3x3, pointwise 1x1, BatchNorm, ReLU; no norm between the two."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare


class SeparableConv(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

    def __init__(self, in_width: int, out_width: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_width, in_width, 3, stride, 1, groups=in_width, bias=False)
        declare(self.depthwise.weight, in_width, 1, centre(3), centre(3))
        self.pointwise = ConvNormAct(in_width, out_width, 1, activation="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the output map."""
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


def conv3x3(in_width: int, out_width: int, stride: int, separable: bool) -> nn.Module:
    """Return a 3x3 convolution with BatchNorm and ReLU, separable or not."""
    if separable:
        return SeparableConv(in_width, out_width, stride)
    return ConvNormAct(in_width, out_width, 3, stride, activation="relu")


def conv3x3_layers(
    in_width: int, out_width: int, in_size: Size, stride: int, separable: bool, held: int = 0
) -> tuple[Layer, ...]:
    """Return the layers of ``conv3x3``."""
    if not separable:
        return conv_layers(in_width, out_width, in_size, 3, stride, activation="relu", held=held)
    size = strided(in_size, stride)
    inputs, outputs = (in_width * each[0] * each[1] for each in (in_size, size))
    return (
        Layer("depthwise", 9 * outputs, 9 * in_width, inputs, outputs, held=held),
        *conv_layers(in_width, out_width, size, 1, activation="relu", held=held),
    )
