"""Convolutional stem: one same-padded convolution, BatchNorm, activation."""

from __future__ import annotations

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.layers import Layer


@register_block("conv_stem")
class ConvStem(ConvNormAct):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, kernel: int, stride: int, activation: str
    ) -> None:
        super().__init__(in_width, out_width, kernel, stride, activation=activation)

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, kernel: int, stride: int, activation: str
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return conv_layers(in_width, out_width, in_size, kernel, stride, activation=activation)
