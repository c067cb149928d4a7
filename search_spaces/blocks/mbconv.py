"""Inverted bottleneck: expand, depthwise, squeeze-and-excitation, project (MobileNetV3, Howard et al. 2019).

As Once-for-All uses it: the hidden width is make_divisible(round(in_width x expansion)); squeeze-and-excitation reduces
it by four, gates with a hard sigmoid and follows the depthwise activation; identity where shape allows.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, make_divisible, strided
from search_spaces.layers import Layer


def hidden_width(in_width: int, expansion: float) -> int:
    """Return the number of channels of the depthwise convolution."""
    return make_divisible(round(in_width * expansion))


class SqueezeExcite(nn.Module):
    """x * hard_sigmoid(W2 relu(W1 mean_HW(x) + b1) + b2) (Hu et al. 2018), hidden width make_divisible(C // 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = make_divisible(width // 4)
        self.reduce = nn.Conv2d(width, hidden, 1)
        self.expand = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) with its channels gated."""
        gate = x.mean((2, 3), keepdim=True)
        gate = self.expand(nn.functional.relu(self.reduce(gate)))
        return x * nn.functional.hardsigmoid(gate)

    @staticmethod
    def layers(width: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
        """Return the layers of the gate on a map of ``width`` channels."""
        hidden, elements = make_divisible(width // 4), width * size[0] * size[1]
        return (
            Layer("mean", 0, 0, elements, width, held=held),
            Layer("conv", width * hidden, width * hidden + hidden, width, hidden, hidden, held + elements),
            Layer("activation", 0, 0, hidden, hidden, held=held + elements),
            Layer("conv", width * hidden, width * hidden + width, hidden, width, width, held + elements),
            Layer("activation", 0, 0, width, width, held=held + elements),
            Layer("scale", 0, 0, elements + width, elements, held=held),
        )


@register_block("mbconv")
class MBConv(nn.Module):
    """Inverted bottleneck, (N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

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
        activation: str = "relu",
        squeeze_excite: bool = False,
    ) -> None:
        super().__init__()
        hidden = hidden_width(in_width, expansion)
        self.expand = ConvNormAct(in_width, hidden, 1, activation=activation) if expansion != 1 else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, kernel, stride, hidden, activation)
        self.squeeze_excite = SqueezeExcite(hidden) if squeeze_excite else nn.Identity()
        self.project = ConvNormAct(hidden, out_width, 1)
        self.residual = stride == 1 and in_width == out_width

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out: Tensor = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return x + out if self.residual else out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float,
        stride: int = 1,
        activation: str = "relu",
        squeeze_excite: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        hidden = hidden_width(in_width, expansion)
        out_size = strided(in_size, stride)
        residual = stride == 1 and in_width == out_width
        held = in_width * in_size[0] * in_size[1] if residual else 0
        found: tuple[Layer, ...] = ()
        if expansion != 1:
            found += conv_layers(in_width, hidden, in_size, 1, activation=activation)
        found += conv_layers(hidden, hidden, in_size, kernel, stride, hidden, activation, held)
        if squeeze_excite:
            found += SqueezeExcite.layers(hidden, out_size, held)
        found += conv_layers(hidden, out_width, out_size, 1, held=held)
        if residual:
            elements = out_width * out_size[0] * out_size[1]
            found += (Layer("add", 0, 0, 2 * elements, elements),)
        return found
