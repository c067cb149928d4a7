"""Residual block of two 3x3 convolutions (He et al. 2016, figure 5 left): ResNet-18 and ResNet-34."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.resnet_shortcut import Shortcut, residual_layers
from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.layers import Layer


def _inner(out_width: int, bottleneck: float) -> int:
    return round(out_width * bottleneck)


@register_block("resnet_basic")
class ResNetBasic(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); ``bottleneck`` is 1 in the paper."""

    uses_size = False
    residual = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        bottleneck: float = 1.0,
        stride: int = 1,
        shortcut: str = "conv",
    ) -> None:
        super().__init__()
        inner = _inner(out_width, bottleneck)
        self.first = ConvNormAct(in_width, inner, 3, stride, activation="relu")
        self.second = ConvNormAct(inner, out_width, 3)
        self.shortcut = Shortcut(in_width, out_width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(shortcut(x) + branch(x))."""
        return nn.functional.relu(self.second(self.first(x)) + self.shortcut(x))

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the channels between the convolutions."""
        return (ChannelGroup("inner", made_by(self, "first"), Units("second.conv.weight", 1)),)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        bottleneck: float = 1.0,
        stride: int = 1,
        shortcut: str = "conv",
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        inner, held = _inner(out_width, bottleneck), in_width * in_size[0] * in_size[1]
        return (
            *conv_layers(in_width, inner, in_size, 3, stride, activation="relu"),
            *conv_layers(inner, out_width, strided(in_size, stride), 3, held=held),
            *residual_layers(in_width, out_width, in_size, stride, shortcut),
        )
