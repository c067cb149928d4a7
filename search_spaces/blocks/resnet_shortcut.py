"""The shortcut of residual blocks: identity where shapes agree, else 1x1 convolution + BatchNorm.

``conv`` strides in the convolution (ResNet, He et al. 2016, option B); ``pool`` averages windows before it (ResNet-D,
He et al. 2019, figure 2c), incomplete windows at the edge over the pixels that they hold.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import unknown
from search_spaces.layers import Layer

KINDS = ("conv", "pool")


def has_projection(in_width: int, out_width: int, stride: int) -> bool:
    """Return whether the shortcut is more than the identity."""
    return stride > 1 or in_width != out_width


class Shortcut(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

    def __init__(self, in_width: int, out_width: int, stride: int, kind: str) -> None:
        super().__init__()
        if kind not in KINDS:
            raise unknown("shortcut", kind, KINDS)
        pooled = kind == "pool" and stride > 1
        self.pool = nn.AvgPool2d(stride, stride, 0, True, False) if pooled else nn.Identity()
        projects = has_projection(in_width, out_width, stride)
        self.project = ConvNormAct(in_width, out_width, 1, 1 if pooled else stride) if projects else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return what is added to the block's branch."""
        out: Tensor = self.project(self.pool(x))
        return out


def residual_layers(
    in_width: int, out_width: int, in_size: Size, stride: int, kind: str, activation: str = "relu"
) -> tuple[Layer, ...]:
    """Return the layers of ``Shortcut``, of the sum with a branch, and of the activation after it."""
    out_size = strided(in_size, stride)
    elements = out_width * out_size[0] * out_size[1]
    found: tuple[Layer, ...] = ()
    if has_projection(in_width, out_width, stride):
        size = in_size
        if kind == "pool" and stride > 1:
            inputs, pooled = (in_width * each[0] * each[1] for each in (in_size, out_size))
            found += (Layer("mean", 0, 0, inputs, pooled, held=elements),)
            stride, size = 1, out_size
        found += conv_layers(in_width, out_width, size, 1, stride, held=elements)
    return (*found, Layer("add", 0, 0, 2 * elements, elements), Layer("activation", 0, 0, elements, elements))
