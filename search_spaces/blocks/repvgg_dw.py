"""LSNet's block of even position: RepVGG-style depthwise convolution, squeeze-and-excitation, feed-forward.

mix(x) = norm(conv3x3(x)) + norm(conv1x1(x)) + x, all depthwise (RepViT, Wang et al. 2024; RepVGG, Ding et al. 2021); in
evaluation one depthwise convolution, see ``reparameterise.merge``. LSNet: Wang et al. 2025, arXiv 2503.23135, figure 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.channel_attention import channel_attention, channel_attention_layers
from search_spaces.blocks.lsnet_mix import FeedForward, SeparableDown
from search_spaces.conv import ConvNormAct, Size, conv_layers, make_divisible, strided
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths, plain_conv
from search_spaces.reparameterise import centred, filled, fold

KERNEL = 3


class RepDepthwise(nn.Module):
    """The sum of the three branches, (N, C, H, W) -> same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wide = ConvNormAct(width, width, KERNEL, groups=width)
        self.narrow = ConvNormAct(width, width, 1, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        out: Tensor = self.wide(x) + self.narrow(x) + x
        return out

    def merged(self) -> nn.Conv2d:
        """Return the one convolution that this is in evaluation.

        Raises:
            UsageError: a norm has no running statistics.
        """
        width = self.wide.conv.out_channels
        weight, bias = fold(self.wide.conv.weight, None, self.wide.norm)
        narrow_weight, narrow_bias = fold(self.narrow.conv.weight, None, self.narrow.norm)
        identity = torch.ones_like(narrow_weight)
        merged = weight + centred(narrow_weight + identity, KERNEL)
        return filled(plain_conv(width, width, KERNEL, groups=width), merged, bias + narrow_bias)

    @staticmethod
    def layers(width: int, size: Size) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = width * size[0] * size[1]
        return (
            *conv_layers(width, width, size, KERNEL, groups=width, held=elements),
            *conv_layers(width, width, size, 1, groups=width, held=2 * elements),
            Layer("add", 0, 0, 3 * elements, elements),
        )


@register_block("repvgg_dw")
class RepVggDw(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, expansion: float = 2, stride: int = 1) -> None:
        super().__init__()
        check_equal_widths("repvgg_dw", in_width, out_width, stride)
        self.downsample = SeparableDown(in_width, out_width, stride) if stride > 1 else nn.Identity()
        self.mix = RepDepthwise(out_width)
        self.gate = channel_attention("se", out_width, make_divisible(out_width // 4))
        self.feed_forward = FeedForward(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out: Tensor = self.feed_forward(self.gate(self.mix(self.downsample(x))))
        return out

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, expansion: float = 2, stride: int = 1
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("repvgg_dw", in_width, out_width, stride)
        size = strided(in_size, stride)
        return (
            *(SeparableDown.layers(in_width, out_width, in_size, stride) if stride > 1 else ()),
            *RepDepthwise.layers(out_width, size),
            *channel_attention_layers("se", out_width, make_divisible(out_width // 4), size),
            *FeedForward.layers(out_width, int(out_width * expansion), size),
        )
