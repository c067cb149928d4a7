"""Fused inverted bottleneck: one full convolution that expands, then a 1x1 projection (EfficientNetV2, Tan & Le 2021).

At expansion 1 the projection is left out: one k x k convolution with norm and activation, and the residual.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.mbconv import hidden_width
from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.layers import Layer


@register_block("fused_mbconv")
class FusedMBConv(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float,
        stride: int = 1,
        activation: str = "silu",
    ) -> None:
        super().__init__()
        self.fused = expansion != 1
        if self.fused:
            hidden = hidden_width(in_width, expansion)
            self.expand = ConvNormAct(in_width, hidden, kernel, stride, activation=activation)
            self.project = ConvNormAct(hidden, out_width, 1)
        else:
            self.single = ConvNormAct(in_width, out_width, kernel, stride, activation=activation)
        self.residual = stride == 1 and in_width == out_width

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out: Tensor = self.project(self.expand(x)) if self.fused else self.single(x)
        return x + out if self.residual else out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the expanded channels; without an expansion there are none."""
        if not self.fused:
            return ()
        return (ChannelGroup("hidden", made_by(self, "expand"), Units("project.conv.weight", 1)),)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float,
        stride: int = 1,
        activation: str = "silu",
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        out_size = strided(in_size, stride)
        residual = stride == 1 and in_width == out_width
        held = in_width * in_size[0] * in_size[1] if residual else 0
        found: tuple[Layer, ...]
        if expansion == 1:
            found = conv_layers(in_width, out_width, in_size, kernel, stride, activation=activation, held=held)
        else:
            hidden = hidden_width(in_width, expansion)
            found = (
                *conv_layers(in_width, hidden, in_size, kernel, stride, activation=activation, held=held),
                *conv_layers(hidden, out_width, out_size, 1, held=held),
            )
        if residual:
            elements = out_width * out_size[0] * out_size[1]
            found += (Layer("add", 0, 0, 2 * elements, elements),)
        return found
