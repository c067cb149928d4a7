"""HorNet block: recursive gated convolution, then an MLP in each cell (Rao et al. 2022, arXiv 2207.14284).

With n = ``order`` and widths C / 2^(n-1), ..., C / 2, C: (p_0, q_0, ..., q_{n-1}) = depthwise part of W_in x,
p_{k+1} = W_k(p_k) * q_k / 3 (W_0 the identity), out = W_out p_n (equations 3.3 to 3.5); the depthwise part is a
convolution or, in the GF networks, a global-local filter. x + scale * out(norm(x)), then x + scale * mlp(norm(x)).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.global_filter import GlobalLocalFilter
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import Axis, Plain, Segments, centre, declare, product
from search_spaces.maps import (
    CellMlp,
    ChannelNorm,
    LayerScale,
    PatchDown,
    check_equal_widths,
    plain_conv,
    plain_conv_layer,
)

GATE_SCALE = 1 / 3


def level_widths(width: int, order: int, global_filter: bool = False) -> list[int]:
    """Return the channels of each order, coarsest first: halves of the next one, rounded down.

    Those that pass a global-local filter, which parts them in two, are rounded down to even numbers.

    Raises:
        UsageError: ``width`` can't be halved so often.
    """
    step = 2 if global_filter else 1
    if order < 1 or width < step * 2 ** (order - 1) or width % step:
        raise UsageError(
            f"order {order} of a hornet block does not fit width {width}: "
            f"allowed: {'even widths' if global_filter else 'widths'} of at least {step * 2 ** (max(order, 1) - 1)}"
        )
    return [width // 2 ** (order - 1 - level) // step * step for level in range(order)]


class GatedConv(nn.Module):
    """Recursive gated convolution, (N, C, H, W) -> same shape."""

    def __init__(self, width: int, order: int, kernel: int, size: Size, global_filter: bool) -> None:
        super().__init__()
        self.widths = level_widths(width, order, global_filter)
        total = sum(self.widths)
        self.expand = nn.Conv2d(width, self.widths[0] + total, 1)
        self.mixer_name = "filter" if global_filter else "depthwise"
        if global_filter:
            inner: Axis = product(2, levels(self.widths, 2))
            self.filter = GlobalLocalFilter(total, size, levels(self.widths, 2))
        else:
            inner = levels(self.widths)
            self.depthwise = plain_conv(total, total, kernel, groups=total)
            _declare(self.depthwise, inner, 1, centre(kernel), centre(kernel))
        self.mixes = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(self.widths))
        self.reduce = nn.Conv2d(width, width, 1)
        _declare(self.expand, Segments((("gated", Plain(self.widths[0])), ("filtered", inner))), width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        gated, filtered = torch.split(self.expand(x), [self.widths[0], sum(self.widths)], 1)
        mixed: Tensor = self.get_submodule(self.mixer_name)(filtered)
        gates = torch.split(mixed * GATE_SCALE, self.widths, 1)
        gated = gated * gates[0]
        for mix, gate in zip(self.mixes, gates[1:], strict=True):
            gated = mix(gated) * gate
        out: Tensor = self.reduce(gated)
        return out

    @staticmethod
    def layers(
        width: int, order: int, kernel: int, size: Size, global_filter: bool, held: int = 0
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        widths, cells = level_widths(width, order, global_filter), size[0] * size[1]
        total = sum(widths)
        held += total * cells
        found = [plain_conv_layer(width, widths[0] + total, size, 1, held=held - total * cells)]
        if global_filter:
            found += GlobalLocalFilter.layers(total, size, held)
        else:
            found.append(plain_conv_layer(total, total, size, kernel, groups=total, held=held))
        found.append(Layer("scale", 0, 0, total * cells, total * cells, held=held))
        found.append(Layer("scale", 0, 0, 2 * widths[0] * cells, widths[0] * cells, held=held))
        for before, after in pairwise(widths):
            found.append(plain_conv_layer(before, after, size, 1, held=held))
            found.append(Layer("scale", 0, 0, 2 * after * cells, after * cells, held=held))
        return (*found, plain_conv_layer(width, width, size, 1, held=held - total * cells))


def levels(widths: list[int], parts: int = 1) -> Segments:
    """Return the axis of the concatenated orders, each of width / ``parts``."""
    return Segments(tuple((f"order{level}", Plain(width // parts)) for level, width in enumerate(widths, start=1)))


def _declare(conv: nn.Conv2d, outputs: Axis, *others: int | Axis) -> None:
    """Say how weight and bias of ``conv`` are shared, whose output channels are ``outputs``."""
    assert conv.bias is not None
    declare(conv.weight, outputs, *others)
    declare(conv.bias, outputs)


@register_block("hornet")
class HorNet(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        order: int,
        kernel: int = 7,
        expansion: float = 4,
        stride: int = 1,
        global_filter: bool = False,
    ) -> None:
        super().__init__()
        check_equal_widths("hornet", in_width, out_width, stride)
        size = strided(in_size, stride)
        self.downsample = PatchDown(in_width, out_width, stride, decomposed=True) if stride > 1 else nn.Identity()
        self.norm = ChannelNorm(out_width, decomposed=True)
        self.gated_conv = GatedConv(out_width, order, kernel, size, global_filter)
        self.scale = LayerScale(out_width)
        self.mlp = CellMlp(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = self.downsample(x)
        mixed = self.gated_conv(self.norm(x)).permute(0, 2, 3, 1)
        x = x + self.scale(mixed).permute(0, 3, 1, 2)
        out: Tensor = x + self.mlp(x)
        return out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        order: int,
        kernel: int = 7,
        expansion: float = 4,
        stride: int = 1,
        global_filter: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("hornet", in_width, out_width, stride)
        size = strided(in_size, stride)
        held = out_width * size[0] * size[1]
        return (
            *(PatchDown.layers(in_width, out_width, in_size, stride, decomposed=True) if stride > 1 else ()),
            ChannelNorm.layer(out_width, size, decomposed=True, held=held),
            *GatedConv.layers(out_width, order, kernel, size, global_filter, held),
            Layer("scale", 0, out_width, held, held, held=held),
            Layer("add", 0, 0, 2 * held, held),
            *CellMlp.layers(out_width, int(out_width * expansion), size, held),
        )
