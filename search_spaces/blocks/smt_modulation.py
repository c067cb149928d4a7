"""SMT's scale-aware modulation block (Lin et al. 2023, arXiv 2307.08579, sections 3.2 and 3.3).

With x' = norm(x): the channels of W_s x' are four heads, head i passes a depthwise convolution of kernel 3 + 2i; one
channel of every head makes a group, in which a 1x1 convolution doubles the channels; m = W_2 gelu(norm(of that)).
x + W_out(m * W_v x'), then x + mlp(norm(x)).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.smt_mix import DepthwiseMlp, NormedDown
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import declare, product
from search_spaces.maps import EPSILON, ChannelNorm, cells_last, check_equal_widths, plain_conv, plain_conv_layer
from search_spaces.tokens import linear_layer

KERNELS = (3, 5, 7, 9)
EXPANSION = 2


class ScaleAwareModulation(nn.Module):
    """W_out(m(x) * W_v x) on maps (N, H, W, C)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        part, hidden = width // len(KERNELS), EXPANSION * width
        self.values = nn.Linear(width, width)
        self.scales = nn.Linear(width, width)
        heads = product(len(KERNELS), part)
        declare(self.scales.weight, heads, width)
        declare(self.scales.bias, heads)
        self.heads = nn.ModuleDict(
            {f"kernel{kernel}": plain_conv(part, part, kernel, groups=part) for kernel in KERNELS}
        )
        self.grouped = nn.Conv2d(width, hidden, 1, groups=part)
        self.norm = nn.BatchNorm2d(hidden)
        self.mix = nn.Conv2d(hidden, width, 1)
        self.reduce = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the modulated map, without a residual."""
        parts = self.scales(x).permute(0, 3, 1, 2).chunk(len(KERNELS), 1)
        convolved = [head(part) for head, part in zip(self.heads.values(), parts, strict=True)]
        grouped = self.grouped(torch.stack(convolved, 2).flatten(1, 2))
        modulation = self.mix(nn.functional.gelu(self.norm(grouped)))
        out: Tensor = self.reduce(cells_last(modulation) * self.values(x))
        return out

    @staticmethod
    def layers(width: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs, the addition to a residual included."""
        part, cells = width // len(KERNELS), size[0] * size[1]
        hidden, elements = EXPANSION * width, width * cells
        inner, kept = hidden * cells, held + elements
        return (
            linear_layer(width, width, cells, held),
            linear_layer(width, width, cells, kept),
            *(plain_conv_layer(part, part, size, kernel, groups=part, held=kept + elements) for kernel in KERNELS),
            Layer("copy", 0, 0, elements, elements, held=kept),
            plain_conv_layer(width, hidden, size, 1, groups=part, held=kept),
            Layer("batch_norm", 0, 2 * hidden, inner, inner, held=kept),
            Layer("activation", 0, 0, inner, inner, held=kept),
            plain_conv_layer(hidden, width, size, 1, held=kept),
            Layer("scale", 0, 0, 2 * elements, elements, held=held),
            linear_layer(width, width, cells, held),
            Layer("add", 0, 0, 2 * elements, elements),
        )


@register_block("smt_modulation")
class SmtModulation(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = False
    residual = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, expansion: float, stride: int = 1) -> None:
        super().__init__()
        _check(in_width, out_width, stride)
        self.downsample = NormedDown(in_width, out_width, stride) if stride > 1 else nn.Identity()
        self.norm = nn.LayerNorm(out_width, EPSILON)
        self.modulation = ScaleAwareModulation(out_width)
        self.mlp_norm = nn.LayerNorm(out_width, EPSILON)
        self.mlp = DepthwiseMlp(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = cells_last(self.downsample(x))
        x = x + self.modulation(self.norm(x))
        x = x + self.mlp(self.mlp_norm(x))
        return x.permute(0, 3, 1, 2)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, expansion: float, stride: int = 1) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, stride)
        size = strided(in_size, stride)
        held = out_width * size[0] * size[1]
        return (
            *(NormedDown.layers(in_width, out_width, in_size, stride) if stride > 1 else ()),
            ChannelNorm.layer(out_width, size, held=held),
            *ScaleAwareModulation.layers(out_width, size, held),
            ChannelNorm.layer(out_width, size, held=held),
            *DepthwiseMlp.layers(out_width, int(out_width * expansion), size, held),
        )


def _check(in_width: int, out_width: int, stride: int) -> None:
    check_equal_widths("smt_modulation", in_width, out_width, stride)
    if out_width % len(KERNELS):
        raise UsageError(f"an smt_modulation block got width {out_width}: allowed: multiples of {len(KERNELS)}")
