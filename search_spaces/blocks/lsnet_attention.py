"""LSNet's block of odd position in its last stage: attention on a small map, then feed-forward.

Queries, keys and values are norm(W x), queries pass norm(depthwise 3x3); a bias for each head and each absolute offset
(rows apart, columns apart) is added to the scores; x + norm(W_out relu(attended)) (as LeViT, Graham et al. 2021; LSNet,
Wang et al. 2025, arXiv 2503.23135, section 3.3). ``heads`` share out the width as values; queries have ``key_dim``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.lsnet_mix import FeedForward, FirstZeroNorm, SeparableDown
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import Axis, Segments, declare, product
from search_spaces.maps import check_equal_widths


class OffsetBias(nn.Module):
    """One bias for each head and absolute offset: (heads, H x W, H x W)."""

    def __init__(self, heads: int, size: Size) -> None:
        super().__init__()
        self.size = size
        self.table = nn.Parameter(torch.empty(heads, *size))

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill the table: zeros."""
        tensor.zero_()

    def forward(self) -> Tensor:
        """Return the bias of every pair of cells."""
        cells = torch.arange(self.size[0] * self.size[1], device=self.table.device)
        rows, columns = cells // self.size[1], cells % self.size[1]
        return self.table[:, (rows[:, None] - rows).abs(), (columns[:, None] - columns).abs()]


class BiasedAttention(nn.Module):
    """norm(W_out relu(attention(x))), (N, C, H, W) -> same shape."""

    def __init__(self, width: int, heads: int, key_dim: int, size: Size) -> None:
        super().__init__()
        self.heads, self.keys, self.values = heads, heads * key_dim, width
        self.qkv = ConvNormAct(width, 2 * self.keys + self.values, 1)
        self.depthwise = ConvNormAct(self.keys, self.keys, 3, groups=self.keys)
        self.bias = OffsetBias(heads, size)
        self.reduce = ConvNormAct(width, width, 1)
        self.reduce.norm = FirstZeroNorm(width)
        self._declare(product(heads, key_dim), product(heads, width // heads))

    def _declare(self, keys: Axis, values: Axis) -> None:
        inside = Segments((("queries", keys), ("keys", keys), ("values", values)))
        declare(self.qkv.conv.weight, inside, self.values, 1, 1)
        declare(self.qkv.norm.weight, inside)
        declare(self.qkv.norm.bias, inside)
        declare(self.reduce.conv.weight, self.values, values, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map, without the residual."""
        q, k, v = torch.split(self.qkv(x), [self.keys, self.keys, self.values], 1)
        q, k, v = (part.flatten(2).unflatten(1, (self.heads, -1)).mT.contiguous() for part in (self.depthwise(q), k, v))
        attended = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=self.bias().to(q.dtype))
        attended = attended.mT.reshape(x.shape)
        out: Tensor = self.reduce(nn.functional.relu(attended))
        return out

    @staticmethod
    def layers(width: int, heads: int, key_dim: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        keys, cells = heads * key_dim, size[0] * size[1]
        pairs, elements = heads * cells * cells, width * cells
        inside = 2 * keys + width
        return (
            *conv_layers(width, inside, size, 1, held=held),
            *conv_layers(keys, keys, size, 3, groups=keys, held=held + inside * cells),
            Layer("copy", 0, heads * cells, pairs, pairs, held=held + inside * cells, shared=2 * pairs),
            Layer("attention", cells * cells * keys, 0, 2 * keys * cells, pairs, held=held + elements),
            Layer("activation", 0, 0, 2 * pairs, pairs, held=held + elements),
            Layer("attention", cells * cells * width, 0, pairs + elements, elements, held=held),
            Layer("activation", 0, 0, elements, elements, held=held),
            *conv_layers(width, width, size, 1, held=held),
            Layer("add", 0, 0, 2 * elements, elements),
        )


@register_block("lsnet_attention")
class LSNetAttention(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int = 4,
        key_dim: int = 16,
        expansion: float = 2,
        stride: int = 1,
    ) -> None:
        super().__init__()
        _check(in_width, out_width, stride, heads)
        self.downsample = SeparableDown(in_width, out_width, stride) if stride > 1 else nn.Identity()
        self.attention = BiasedAttention(out_width, heads, key_dim, strided(in_size, stride))
        self.feed_forward = FeedForward(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = self.downsample(x)
        out: Tensor = self.feed_forward(x + self.attention(x))
        return out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int = 4,
        key_dim: int = 16,
        expansion: float = 2,
        stride: int = 1,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, stride, heads)
        size = strided(in_size, stride)
        return (
            *(SeparableDown.layers(in_width, out_width, in_size, stride) if stride > 1 else ()),
            *BiasedAttention.layers(out_width, heads, key_dim, size, held=out_width * size[0] * size[1]),
            *FeedForward.layers(out_width, int(out_width * expansion), size),
        )


def _check(in_width: int, out_width: int, stride: int, heads: int) -> None:
    check_equal_widths("lsnet_attention", in_width, out_width, stride)
    if out_width % heads:
        allowed = [number for number in range(1, out_width + 1) if out_width % number == 0]
        raise UsageError(
            f"heads {heads} of an lsnet_attention block do not divide the width {out_width}: allowed: {allowed}"
        )
