"""Stem of ResNet and RegNet: one convolution or three, then a max pooling or one more convolution with the stride.

ResNet: 7x7 stride 2, max pooling (He et al. 2016). ResNet-D: ``deep``, three 3x3 (He et al. 2019, figure 2b).
ResNet-RS: ``deep``, and a strided 3x3 convolution for the pooling (Bello et al. 2021). RegNet: one 3x3 stride 2.
"""

from __future__ import annotations

from torch import nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer

STRIDES = (1, 2, 4)
POOLINGS = ("max", "conv")


def _convolutions(in_width: int, out_width: int, deep: bool, stride: int, pooling: str) -> list[tuple[int, int, int]]:
    """Return (input width, output width, stride) of each convolution; ``deep`` has two of half the width first."""
    if stride not in STRIDES:
        raise UsageError(f"stride of the stem got {stride}: allowed: 1, 2, and 4 (with pooling)")
    if pooling not in POOLINGS:
        raise unknown("pooling of the stem", pooling, POOLINGS)
    widths = [in_width, out_width // 2, out_width // 2, out_width] if deep else [in_width, out_width]
    strides = [min(stride, 2)] + [1] * (len(widths) - 2)
    found = list(zip(widths[:-1], widths[1:], strides, strict=True))
    return [*found, (out_width, out_width, 2)] if stride == 4 and pooling == "conv" else found


@register_block("pool_stem")
class PoolStem(nn.Sequential):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    Stride 4 is a stride of 2 twice, the second by ``pooling``; 1 and 2 have no pooling. ``scales`` false asks scaling
    rules to leave the stem's width, as those of RegNet and ResNet do.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        stride: int,
        deep: bool = False,
        pooling: str = "max",
        scales: bool = True,
    ) -> None:
        super().__init__()
        for number, (inputs, outputs, step) in enumerate(_convolutions(in_width, out_width, deep, stride, pooling), 1):
            size = 3 if step == 2 and number > 1 else kernel
            self.add_module(f"conv{number}", ConvNormAct(inputs, outputs, size, step, activation="relu"))
        if stride == 4 and pooling == "max":
            self.pool = nn.MaxPool2d(3, 2, 1)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        stride: int,
        deep: bool = False,
        pooling: str = "max",
        scales: bool = True,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        found: tuple[Layer, ...] = ()
        for number, (inputs, outputs, step) in enumerate(_convolutions(in_width, out_width, deep, stride, pooling), 1):
            size = 3 if step == 2 and number > 1 else kernel
            found += conv_layers(inputs, outputs, in_size, size, step, activation="relu")
            in_size = strided(in_size, step)
        if stride == 4 and pooling == "max":
            pooled = strided(in_size, 2)
            elements = [out_width * each[0] * each[1] for each in (in_size, pooled)]
            found += (Layer("max_pool", 0, 0, elements[0], elements[1]),)
        return found
