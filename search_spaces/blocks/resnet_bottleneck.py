"""Residual bottleneck, 1x1 - 3x3 - 1x1, dense or grouped: ResNet, ResNet-D, ResNet-RS, ResNeXt, ECA-ResNet, RegNet.

The inner width is round(out_width x bottleneck); the 3x3 convolution has the stride (He et al. 2016; Xie et al. 2017;
Radosavovic et al. 2020, figure 4). BatchNorm after every convolution, ReLU after the first two and after the sum.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.channel_attention import SqueezeExcite, channel_attention, channel_attention_layers
from search_spaces.blocks.resnet_shortcut import Shortcut, residual_layers
from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer

SQUEEZE_RATIO = 0.25
ATTENTIONS = ("none", "se_inner", "se", "eca")


def inner_width(out_width: int, bottleneck: float, group_width: int) -> int:
    """Return the width of the 3x3 convolution.

    Raises:
        UsageError: groups of ``group_width`` channels do not divide it.
    """
    inner = round(out_width * bottleneck)
    if group_width and inner % group_width:
        allowed = [number for number in range(1, inner + 1) if inner % number == 0]
        raise UsageError(
            f"group_width got {group_width}: it must divide the inner width {inner} "
            f"(width {out_width} x bottleneck {bottleneck:g}): allowed: {', '.join(map(str, allowed))}"
        )
    return inner


def attention_places(attention: str, in_width: int, out_width: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """Return (kind, hidden width) of the gate after the 3x3 convolution and of that before the sum.

    ``se_inner`` squeezes to a quarter of the block's input width (RegNetY), ``se`` to a quarter of its output width
    (ResNet-RS).
    """
    if attention not in ATTENTIONS:
        raise unknown("attention", attention, ATTENTIONS)
    if attention == "se_inner":
        return ("se", round(in_width * SQUEEZE_RATIO)), ("none", 0)
    return ("none", 0), (attention, round(out_width * SQUEEZE_RATIO))


@register_block("resnet_bottleneck")
class ResNetBottleneck(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    ``group_width`` channels make one group; 0 leaves the convolution dense at any width.
    """

    uses_size = False
    residual = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        bottleneck: float = 0.25,
        group_width: int = 0,
        stride: int = 1,
        shortcut: str = "conv",
        attention: str = "none",
    ) -> None:
        super().__init__()
        inner = inner_width(out_width, bottleneck, group_width)
        groups = inner // group_width if group_width else 1
        inside, before_sum = attention_places(attention, in_width, out_width)
        self.reduce = ConvNormAct(in_width, inner, 1, activation="relu")
        # Groups of another width mean other weights: they have a name of their own.
        self.spatial_name = f"grouped{group_width}" if group_width else "spatial"
        self.add_module(self.spatial_name, ConvNormAct(inner, inner, 3, stride, groups, "relu"))
        self.inner_attention = channel_attention(inside[0], inner, inside[1])
        self.expand = ConvNormAct(inner, out_width, 1)
        self.attention = channel_attention(before_sum[0], out_width, before_sum[1])
        self.shortcut = Shortcut(in_width, out_width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(shortcut(x) + branch(x))."""
        out = self.get_submodule(self.spatial_name)(self.reduce(x))
        out = self.attention(self.expand(self.inner_attention(out)))
        return nn.functional.relu(out + self.shortcut(x))

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the channels before and after the 3x3 convolution where it is dense; groups fix their order."""
        if self.spatial_name != "spatial":
            return ()
        gate = SqueezeExcite.gated("inner_attention") if isinstance(self.inner_attention, SqueezeExcite) else ()
        return (
            ChannelGroup("reduced", made_by(self, "reduce"), Units("spatial.conv.weight", 1)),
            ChannelGroup("inner", (*made_by(self, "spatial"), *gate), Units("expand.conv.weight", 1)),
        )

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        bottleneck: float = 0.25,
        group_width: int = 0,
        stride: int = 1,
        shortcut: str = "conv",
        attention: str = "none",
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        inner = inner_width(out_width, bottleneck, group_width)
        groups = inner // group_width if group_width else 1
        inside, before_sum = attention_places(attention, in_width, out_width)
        out_size = strided(in_size, stride)
        held = in_width * in_size[0] * in_size[1]
        return (
            *conv_layers(in_width, inner, in_size, 1, activation="relu"),
            *conv_layers(inner, inner, in_size, 3, stride, groups, "relu", held),
            *channel_attention_layers(inside[0], inner, inside[1], out_size, held),
            *conv_layers(inner, out_width, out_size, 1, held=held),
            *channel_attention_layers(before_sum[0], out_width, before_sum[1], out_size, held),
            *residual_layers(in_width, out_width, in_size, stride, shortcut),
        )
