"""FBNet's block (Wu et al. 2019): 1x1 expansion, depthwise, 1x1 projection, the 1x1 convolutions in groups.

ReLU follows the first two. With two groups, channels are shuffled after the expansion. The expansion convolution stands
at ratio 1, too. Identity where shape allows.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer


@register_block("fbnet_block")
class FbnetBlock(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    The number of groups is part of the parameters' names: a prefix of a grouped weight mixes other channels.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float,
        groups: int = 1,
        stride: int = 1,
    ) -> None:
        super().__init__()
        hidden = _hidden_width(in_width, out_width, expansion, groups)
        self.groups = groups
        grouped = nn.Module()
        grouped.expand = ConvNormAct(in_width, hidden, 1, groups=groups, activation="relu")
        grouped.depthwise = ConvNormAct(hidden, hidden, kernel, stride, hidden, "relu")
        grouped.project = ConvNormAct(hidden, out_width, 1, groups=groups)
        self.layers_name = f"groups{groups}"
        self.add_module(self.layers_name, grouped)
        self.residual = stride == 1 and in_width == out_width

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        layers = self.get_submodule(self.layers_name)
        hidden: Tensor = layers.get_submodule("expand")(x)
        if self.groups > 1:
            hidden = nn.functional.channel_shuffle(hidden, self.groups)
        out: Tensor = layers.get_submodule("project")(layers.get_submodule("depthwise")(hidden))
        return x + out if self.residual else out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float,
        groups: int = 1,
        stride: int = 1,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        hidden = _hidden_width(in_width, out_width, expansion, groups)
        residual = stride == 1 and in_width == out_width
        held = in_width * in_size[0] * in_size[1] if residual else 0
        found = conv_layers(in_width, hidden, in_size, 1, groups=groups, activation="relu", held=held)
        if groups > 1:
            elements = hidden * in_size[0] * in_size[1]
            found += (Layer("copy", 0, 0, elements, elements, held=held),)
        size = strided(in_size, stride)
        found += conv_layers(hidden, hidden, in_size, kernel, stride, hidden, "relu", held)
        found += conv_layers(hidden, out_width, size, 1, groups=groups, held=held)
        if residual:
            elements = out_width * size[0] * size[1]
            found += (Layer("add", 0, 0, 2 * elements, elements),)
        return found


@register_block("fbnet_skip")
class FbnetSkip(nn.Module):
    """The identity, or a 1x1 convolution with BatchNorm and ReLU where the shape changes."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int = 1) -> None:
        super().__init__()
        same = stride == 1 and in_width == out_width
        self.adapt = nn.Identity() if same else ConvNormAct(in_width, out_width, 1, stride, activation="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``, in the shape of the stage."""
        out: Tensor = self.adapt(x)
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int = 1) -> tuple[Layer, ...]:
        """Return what one image costs."""
        if stride == 1 and in_width == out_width:
            elements = in_width * in_size[0] * in_size[1]
            return (Layer("copy", 0, 0, elements, elements),)
        return conv_layers(in_width, out_width, in_size, 1, stride, activation="relu")


def _hidden_width(in_width: int, out_width: int, expansion: float, groups: int) -> int:
    hidden = round(in_width * expansion)
    for name, width in (("input", in_width), ("hidden", hidden), ("output", out_width)):
        if width % groups:
            raise UsageError(f"an fbnet_block got groups {groups} for {width} {name} channels: give a divisor of them")
    return hidden
