"""One-shot aggregation (VoVNet, Lee et al. 2019, figure 1b; VoVNetV2, Lee and Park 2020, figure 3).

y_1 = conv3x3(x), y_i = conv3x3(y_{i-1}), all of one width; the input and every y are concatenated once and mixed by a
1x1 convolution. V2 gates the channels of the result and adds the input. Separable convolutions are preceded by a 1x1
reduction of an input of another width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.channel_attention import channel_attention, channel_attention_layers
from search_spaces.blocks.separable_conv import conv3x3, conv3x3_layers
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer
from search_spaces.layout import Plain, Segments, declare

ATTENTIONS = ("none", "ese", "eca")


def _check(in_width: int, out_width: int, num_layers: int, stride: int, residual: bool, attention: str) -> None:
    if num_layers < 1:
        raise UsageError(f"num_layers got {num_layers}: give 1 or more")
    if stride not in (1, 2):
        raise UsageError(f"stride of one-shot aggregation got {stride}: allowed: 1, 2")
    if residual and in_width != out_width:
        raise UsageError(f"residual got true with {in_width} channels in and {out_width} out: they must be equal")
    if attention not in ATTENTIONS:
        raise unknown("attention", attention, ATTENTIONS)


def halve(x: Tensor) -> Tensor:
    """Return 3x3 max pooling of stride 2 without padding on the left; ceil(n / 2) a side."""
    height, width = x.shape[-2:]
    even = nn.functional.pad(x, (0, width % 2, 0, height % 2), value=float("-inf"))
    return nn.functional.max_pool2d(even, 3, 2, ceil_mode=True)


@register_block("osa")
class OneShotAggregation(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); a stride of 2 pools first."""

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        mid_width: int,
        num_layers: int,
        stride: int = 1,
        separable: bool = False,
        residual: bool = False,
        attention: str = "none",
    ) -> None:
        super().__init__()
        _check(in_width, out_width, num_layers, stride, residual, attention)
        self.stride, self.residual = stride, residual
        reduces = separable and in_width != mid_width
        self.reduce = ConvNormAct(in_width, mid_width, 1, activation="relu") if reduces else nn.Identity()
        widths = [mid_width if separable else in_width] + [mid_width] * (num_layers - 1)
        self.convs = nn.ModuleList(conv3x3(width, mid_width, 1, separable) for width in widths)
        self.mix = ConvNormAct(in_width + num_layers * mid_width, out_width, 1, activation="relu")
        sources = [("input", in_width), *((f"conv{number}", mid_width) for number in range(1, num_layers + 1))]
        joined = Segments(tuple((name, Plain(width)) for name, width in sources))
        declare(self.mix.conv.weight, out_width, joined, 1, 1)
        self.attention = channel_attention(attention, out_width, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = halve(x) if self.stride == 2 else x
        maps = [x, self.convs[0](self.reduce(x))]
        for conv in self.convs[1:]:
            maps.append(conv(maps[-1]))
        out: Tensor = self.attention(self.mix(torch.cat(maps, 1)))
        return out + x if self.residual else out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        mid_width: int,
        num_layers: int,
        stride: int = 1,
        separable: bool = False,
        residual: bool = False,
        attention: str = "none",
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, num_layers, stride, residual, attention)
        size = strided(in_size, stride)
        pixels = size[0] * size[1]
        elements, joined = in_width * pixels, (in_width + num_layers * mid_width) * pixels
        found: list[Layer] = []
        if stride == 2:
            found.append(Layer("max_pool", 0, 0, in_width * in_size[0] * in_size[1], elements))
        if separable and in_width != mid_width:
            found += conv_layers(in_width, mid_width, size, 1, activation="relu", held=elements)
        for number in range(num_layers):
            width = mid_width if separable or number else in_width
            held = elements + max(0, number - 1) * mid_width * pixels if number else 0
            found += conv3x3_layers(width, mid_width, size, 1, separable, held)
        held = elements if residual else 0
        found.append(Layer("copy", 0, 0, joined, joined, held=held))
        found += conv_layers(joined // pixels, out_width, size, 1, activation="relu", held=held)
        found += channel_attention_layers(attention, out_width, 0, size, held)
        if residual:
            found.append(Layer("add", 0, 0, 2 * elements, elements))
        return tuple(found)
