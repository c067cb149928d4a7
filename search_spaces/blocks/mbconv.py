"""Inverted bottleneck: expand, depthwise, squeeze-and-excitation, project (MobileNetV2, Sandler et al. 2018).

The hidden width is make_divisible(round(in_width x expansion)); an expansion of 1 has no expanding convolution unless
``always_expand``. Two styles of squeeze-and-excitation follow the depthwise activation:

- ``mobilenetv3`` (Howard et al. 2019; Once-for-All, AttentiveNAS): a quarter of the hidden width, ReLU, hard sigmoid;
- ``efficientnet`` (Tan & Le 2019; MnasNet): a quarter of the block's *input* width, the block's activation, sigmoid.

The shortcut is the identity where shape allows; with ``projection`` (AttentiveNAS, Wang et al. 2021) it is everywhere:
average pooling by the stride, then a 1x1 convolution without norm where the widths differ. With ``kernel_transform``
smaller kernels are learned maps of larger ones (Once-for-All): that changes what is shared, and nothing of the block.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import ConvNormAct, Size, activation_module, conv_layers, make_divisible, strided
from search_spaces.errors import unknown
from search_spaces.kernel_transforms import declare_transformed
from search_spaces.layers import Layer

SQUEEZE_STYLES = ("mobilenetv3", "efficientnet")


def hidden_width(in_width: int, expansion: float) -> int:
    """Return the number of channels of the depthwise convolution."""
    return make_divisible(round(in_width * expansion))


def squeezed_width(in_width: int, hidden: int, style: str) -> int:
    """Return the number of channels between the two layers of the gate.

    Raises:
        UsageError: ``style`` is unknown.
    """
    if style not in SQUEEZE_STYLES:
        raise unknown("squeeze_style", style, SQUEEZE_STYLES)
    return make_divisible(hidden // 4) if style == "mobilenetv3" else max(1, in_width // 4)


class SqueezeExcite(nn.Module):
    """x * gate(W2 act(W1 mean_HW(x) + b1) + b2) (Hu et al. 2018); by default MobileNetV3's."""

    def __init__(
        self, width: int, squeezed: int | None = None, activation: str = "relu", gate: str = "hard_sigmoid"
    ) -> None:
        super().__init__()
        squeezed = squeezed or make_divisible(width // 4)
        self.reduce = nn.Conv2d(width, squeezed, 1)
        self.activation = activation_module(activation)
        self.expand = nn.Conv2d(squeezed, width, 1)
        self.gate = activation_module(gate)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) with its channels gated."""
        gate = self.activation(self.reduce(x.mean((2, 3), keepdim=True)))
        gated: Tensor = x * self.gate(self.expand(gate))
        return gated

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the channels between the two layers."""
        return (ChannelGroup("squeezed", made_by(self, "reduce"), Units("expand.weight", 1)),)

    @staticmethod
    def gated(path: str) -> tuple[Units, ...]:
        """Return where the channels lie that the gate at ``path`` multiplies."""
        return Units(f"{path}.reduce.weight", 1), Units(f"{path}.expand.weight"), Units(f"{path}.expand.bias")

    @staticmethod
    def layers(width: int, size: Size, held: int = 0, squeezed: int | None = None) -> tuple[Layer, ...]:
        """Return the layers of the gate on a map of ``width`` channels."""
        hidden, elements = squeezed or make_divisible(width // 4), width * size[0] * size[1]
        return (
            Layer("mean", 0, 0, elements, width, held=held),
            Layer("conv", width * hidden, width * hidden + hidden, width, hidden, hidden, held + elements),
            Layer("activation", 0, 0, hidden, hidden, held=held + elements),
            Layer("conv", width * hidden, width * hidden + width, hidden, width, width, held + elements),
            Layer("activation", 0, 0, width, width, held=held + elements),
            Layer("scale", 0, 0, elements + width, elements, held=held),
        )


class ProjectionShortcut(nn.Module):
    """Average pooling by ``stride`` (sides rounded up), then a 1x1 convolution without norm where widths differ."""

    def __init__(self, in_width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(in_width, out_width, 1, bias=False) if in_width != out_width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the shortcut of ``x`` (N, C, H, W)."""
        if self.stride > 1:
            x = nn.functional.avg_pool2d(x, self.stride, ceil_mode=True)
        out: Tensor = self.conv(x)
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, stride: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; ``held`` is what the main path keeps."""
        height, width = strided(in_size, stride)
        pixels, found = height * width, []
        if stride > 1:
            found.append(Layer("mean", 0, 0, in_width * in_size[0] * in_size[1], in_width * pixels, held=held))
        if in_width != out_width:
            weight = in_width * out_width
            found.append(Layer("conv", weight * pixels, weight, in_width * pixels, out_width * pixels, held=held))
        return tuple(found)


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
        squeeze_style: str = "mobilenetv3",
        always_expand: bool = False,
        projection: bool = False,
        kernel_transform: bool = False,
    ) -> None:
        super().__init__()
        hidden = hidden_width(in_width, expansion)
        expands = expansion != 1 or always_expand
        self.expand = ConvNormAct(in_width, hidden, 1, activation=activation) if expands else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, kernel, stride, hidden, activation)
        if kernel_transform:
            declare_transformed(self.depthwise.conv)
        gate = ("relu", "hard_sigmoid") if squeeze_style == "mobilenetv3" else (activation, "sigmoid")
        squeezed = squeezed_width(in_width, hidden, squeeze_style)
        self.squeeze_excite = SqueezeExcite(hidden, squeezed, *gate) if squeeze_excite else nn.Identity()
        self.project = ConvNormAct(hidden, out_width, 1)
        self.residual = projection or (stride == 1 and in_width == out_width)
        self.shortcut = ProjectionShortcut(in_width, out_width, stride) if projection else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out: Tensor = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return self.shortcut(x) + out if self.residual else out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the expanded channels; without an expansion they are the input's."""
        if isinstance(self.expand, nn.Identity):
            return ()
        gate = SqueezeExcite.gated("squeeze_excite") if isinstance(self.squeeze_excite, SqueezeExcite) else ()
        makers = (*made_by(self, "expand", "depthwise"), *gate)
        return (ChannelGroup("hidden", makers, Units("project.conv.weight", 1)),)

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
        squeeze_style: str = "mobilenetv3",
        always_expand: bool = False,
        projection: bool = False,
        kernel_transform: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        hidden = hidden_width(in_width, expansion)
        out_size = strided(in_size, stride)
        residual = projection or (stride == 1 and in_width == out_width)
        held = in_width * in_size[0] * in_size[1] if residual else 0
        elements = out_width * out_size[0] * out_size[1]
        found: tuple[Layer, ...] = ()
        if expansion != 1 or always_expand:
            found += conv_layers(in_width, hidden, in_size, 1, activation=activation)
        found += conv_layers(hidden, hidden, in_size, kernel, stride, hidden, activation, held)
        if squeeze_excite:
            squeezed = squeezed_width(in_width, hidden, squeeze_style)
            found += SqueezeExcite.layers(hidden, out_size, held, squeezed)
        found += conv_layers(hidden, out_width, out_size, 1, held=held)
        if projection:
            found += ProjectionShortcut.layers(in_width, out_width, in_size, stride, elements)
        if residual:
            found += (Layer("add", 0, 0, 2 * elements, elements),)
        return found
