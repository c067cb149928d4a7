"""Gates of channels by their means: squeeze-and-excitation, effective squeeze-and-excitation, ECA, ELA.

- ``se``: x * sigmoid(W2 relu(W1 m + b1) + b2), m = mean_HW(x) (Hu et al. 2018);
- ``ese``: x * hard_sigmoid(W m + b), one square map (VoVNetV2, Lee and Park 2020, equation 3);
- ``eca``: x * sigmoid(conv1d(m) along the channels), no bias (Wang et al. 2020, equations 5 and 12);
- ``ela``: gates of rows and columns in each channel, see ``efficient_local_attention``.
"""

from __future__ import annotations

from math import log2

from torch import Tensor, nn

from search_spaces.attention_names import ATTENTION_NAMES
from search_spaces.blocks.efficient_local_attention import EfficientLocalAttention
from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import Size
from search_spaces.errors import unknown
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare


def eca_kernel(width: int) -> int:
    """Return ECA's kernel: |log2(width) + 1| / 2 rounded down, one more where that is even, at least 3."""
    found = int(abs(log2(width) + 1) / 2)
    return max(found + 1 - found % 2, 3)


class SqueezeExcite(nn.Module):
    """``se`` with ``hidden`` channels in the middle."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, hidden, 1)
        self.expand = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) with its channels gated."""
        gate = nn.functional.relu(self.reduce(x.mean((2, 3), keepdim=True)))
        out: Tensor = x * self.expand(gate).sigmoid()
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the channels in the middle."""
        return (ChannelGroup("squeezed", made_by(self, "reduce"), Units("expand.weight", 1)),)

    @staticmethod
    def gated(path: str) -> tuple[Units, ...]:
        """Return where the channels lie that the gate at ``path`` multiplies."""
        return Units(f"{path}.reduce.weight", 1), Units(f"{path}.expand.weight"), Units(f"{path}.expand.bias")


class EffectiveSqueezeExcite(nn.Module):
    """``ese``: nothing is reduced."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) with its channels gated."""
        return x * nn.functional.hardsigmoid(self.mix(x.mean((2, 3), keepdim=True)))


class EfficientChannelAttention(nn.Module):
    """``eca``: neighbouring channels share one small kernel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        kernel = eca_kernel(width)
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)
        declare(self.conv.weight, 1, 1, centre(kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) with its channels gated."""
        gate: Tensor = self.conv(x.mean((2, 3)).unsqueeze(1)).sigmoid()
        return x * gate.view(x.shape[0], -1, 1, 1)


def channel_attention(kind: str, width: int, hidden: int) -> nn.Module:
    """Return the gate called ``kind``; ``hidden`` is the width inside ``se``.

    Raises:
        UsageError: unknown kind.
    """
    _check(kind)
    if kind == "se":
        return SqueezeExcite(width, hidden)
    if kind == "ese":
        return EffectiveSqueezeExcite(width)
    if kind == "ela":
        return EfficientLocalAttention(width)
    return EfficientChannelAttention(width) if kind == "eca" else nn.Identity()


def channel_attention_layers(kind: str, width: int, hidden: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
    """Return the layers of ``channel_attention`` on a map of ``width`` channels."""
    _check(kind)
    if kind == "none":
        return ()
    if kind == "ela":
        return EfficientLocalAttention.layers(width, size, held=held)
    elements = width * size[0] * size[1]
    held_inside = held + elements
    inside: tuple[Layer, ...]
    if kind == "se":
        inside = (
            Layer("conv", width * hidden, (width + 1) * hidden, width, hidden, hidden, held_inside),
            Layer("activation", 0, 0, hidden, hidden, held=held_inside),
            Layer("conv", width * hidden, (hidden + 1) * width, hidden, width, width, held_inside),
        )
    elif kind == "ese":
        inside = (Layer("conv", width * width, (width + 1) * width, width, width, width, held_inside),)
    else:
        kernel = eca_kernel(width)
        inside = (Layer("conv", width * kernel, kernel, width, width, held=held_inside),)
    return (
        Layer("mean", 0, 0, elements, width, held=held),
        *inside,
        Layer("activation", 0, 0, width, width, held=held_inside),
        Layer("scale", 0, 0, elements + width, elements, held=held),
    )


def _check(kind: str) -> None:
    if kind not in ATTENTION_NAMES:
        raise unknown("channel attention", kind, ATTENTION_NAMES)
