"""OSNet's transition between stages (Zhou et al. 2019): 1x1 convolution, BatchNorm, ReLU, average pooling 2x2."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer


@register_block("osnet_transition")
class OsnetTransition(ConvNormAct):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / 2), ceil(W / 2))."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> None:
        _check_stride(stride)
        super().__init__(in_width, out_width, 1, activation="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled map; the window of an odd side's last pixel is that pixel alone."""
        return nn.functional.avg_pool2d(super().forward(x), 2, 2, ceil_mode=True)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_stride(stride)
        height, width = strided(in_size, 2)
        elements = out_width * in_size[0] * in_size[1]
        pool = Layer("avg_pool", 0, 0, elements, out_width * height * width)
        return (*conv_layers(in_width, out_width, in_size, 1, activation="relu"), pool)


def _check_stride(stride: int) -> None:
    if stride != 2:
        raise UsageError(f"an osnet_transition block got stride {stride}: allowed: 2")
