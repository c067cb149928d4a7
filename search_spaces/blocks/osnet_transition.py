"""OSNet's transition between stages (Zhou et al. 2019): 1x1 convolution, BatchNorm, ReLU, average pooling 2x2."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer


@register_block("osnet_transition")
class OsnetTransition(ConvNormAct):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); with stride 1 nothing is pooled."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> None:
        _check_stride(stride)
        super().__init__(in_width, out_width, 1, activation="relu")
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled map; the window of an odd side's last pixel is that pixel alone."""
        x = super().forward(x)
        return nn.functional.avg_pool2d(x, 2, 2, ceil_mode=True) if self.stride == 2 else x

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_stride(stride)
        height, width = strided(in_size, stride)
        elements = out_width * in_size[0] * in_size[1]
        found = conv_layers(in_width, out_width, in_size, 1, activation="relu")
        pool = Layer("avg_pool", 0, 0, elements, out_width * height * width)
        return (*found, pool) if stride == 2 else found


def _check_stride(stride: int) -> None:
    if stride not in (1, 2):
        raise UsageError(f"an osnet_transition block got stride {stride}: allowed: 1, 2")
