"""Pieces for blocks that treat every cell of a map as a token: norm over channels, layer scale, MLP, downsampling.

Maps are (N, C, H, W) outside and channels last inside. ``decomposed`` norms are written out in elementary operations,
as some reference implementations do; a tracing counter (fvcore) does not see these as norms and counts nothing.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare
from search_spaces.tokens import Mlp, layer_norm_layer

EPSILON = 1e-6
FIRST_SCALE = 1e-6


class DecomposedLayerNorm(nn.LayerNorm):
    """LayerNorm over the last axis in elementary operations."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised ``x``."""
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        return centred * torch.rsqrt(variance + self.eps) * self.weight + self.bias


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of each cell of a map (N, C, H, W)."""

    def __init__(self, width: int, decomposed: bool = False) -> None:
        super().__init__()
        self.norm = DecomposedLayerNorm(width, EPSILON) if decomposed else nn.LayerNorm(width, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        normalised: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return normalised.permute(0, 3, 1, 2)

    @staticmethod
    def layer(width: int, size: Size, decomposed: bool = False, held: int = 0) -> Layer:
        """Return what one image costs."""
        found = layer_norm_layer(width, size[0] * size[1], held)
        return replace(found, op="scale") if decomposed else found


class LayerScale(nn.Module):
    """x * weight over the last axis; starts at 1e-6 (Touvron et al. 2021)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill the weight."""
        tensor.fill_(FIRST_SCALE)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled ``x``."""
        return x * self.weight


class CellMlp(nn.Module):
    """scale(W2 gelu(W1 norm(x))) in each cell of a map (N, C, H, W), as ConvNeXt writes it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, EPSILON)
        self.mlp = Mlp(width, hidden)
        self.scale = LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after the MLP, without a residual."""
        changed: Tensor = self.scale(self.mlp(self.norm(x.permute(0, 2, 3, 1))))
        return changed.permute(0, 3, 1, 2)

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs, the addition to a residual included."""
        cells = size[0] * size[1]
        elements = width * cells
        return (
            layer_norm_layer(width, cells, held),
            *Mlp.layers(width, hidden, cells, held),
            Layer("scale", 0, width, elements, elements, held=held),
            Layer("add", 0, 0, 2 * elements, elements),
        )


def plain_conv(
    in_width: int, out_width: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True
) -> nn.Conv2d:
    """Return a same-padded convolution of an odd kernel; the centre of a larger shared kernel is taken."""
    if kernel % 2 == 0:
        raise UsageError(f"kernel got {kernel}: same-padded convolutions take odd kernels")
    conv = nn.Conv2d(in_width, out_width, kernel, stride, kernel // 2, groups=groups, bias=bias)
    declare(conv.weight, out_width, in_width // groups, centre(kernel), centre(kernel))
    return conv


def plain_conv_layer(
    in_width: int,
    out_width: int,
    in_size: Size,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    bias: bool = True,
    held: int = 0,
) -> Layer:
    """Return the layer of a convolution alone: neither norm nor activation follows."""
    height, width = strided(in_size, stride)
    outputs = out_width * height * width
    weight = kernel * kernel * (in_width // groups) * out_width
    op = "depthwise" if groups == in_width == out_width and groups > 1 else "conv"
    inputs = in_width * in_size[0] * in_size[1]
    return Layer(op, weight * height * width, weight + out_width * bias, inputs, outputs, outputs * bias, held)


def padded_to_stride(x: Tensor, stride: int) -> Tensor:
    """Return a map (N, C, H, W) with zeros below and to the right, up to whole strides."""
    below, right = -x.shape[2] % stride, -x.shape[3] % stride
    return nn.functional.pad(x, (0, right, 0, below)) if below or right else x


class PatchDown(nn.Module):
    """Norm over channels, then a convolution whose kernel is its stride: (N, C, H, W) -> (N, C', H/s, W/s).

    A side that the stride does not divide is padded by zeros, so that sides are rounded up.
    """

    def __init__(self, in_width: int, out_width: int, stride: int, decomposed: bool = False) -> None:
        super().__init__()
        self.stride = stride
        self.norm = ChannelNorm(in_width, decomposed)
        self.projection = nn.Conv2d(in_width, out_width, stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map."""
        reduced: Tensor = self.projection(padded_to_stride(self.norm(x), self.stride))
        return reduced

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, stride: int, decomposed: bool = False
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            ChannelNorm.layer(in_width, in_size, decomposed),
            plain_conv_layer(in_width, out_width, in_size, stride, stride),
        )


class ConvDown(nn.Module):
    """3x3 convolution with bias and a stride, then norm over channels: (N, C, H, W) -> (N, C', H/s, W/s)."""

    def __init__(self, in_width: int, out_width: int, stride: int, decomposed: bool = False) -> None:
        super().__init__()
        self.conv = plain_conv(in_width, out_width, 3, stride)
        self.norm = ChannelNorm(out_width, decomposed)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map."""
        normalised: Tensor = self.norm(self.conv(x))
        return normalised

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, stride: int, decomposed: bool = False
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            plain_conv_layer(in_width, out_width, in_size, 3, stride),
            ChannelNorm.layer(out_width, strided(in_size, stride), decomposed),
        )


def cells_last(x: Tensor) -> Tensor:
    """Return a map (N, C, H, W) as (N, H, W, C), contiguous: matrix products round by the layout of their factors."""
    return x.permute(0, 2, 3, 1).contiguous()


def check_equal_widths(kind: str, in_width: int, out_width: int, stride: int) -> None:
    """Raise UsageError where a block would change the width without downsampling."""
    if stride == 1 and in_width != out_width:
        raise UsageError(
            f"a {kind} block of stride 1 got widths {in_width} -> {out_width}: give it equal widths, or stride 2"
        )


def check_least_width(kind: str, width: int, least: int) -> None:
    """Raise UsageError where a part of the width would have no channels."""
    if width < least:
        raise UsageError(f"a {kind} block got width {width}: allowed: {least} or more")
