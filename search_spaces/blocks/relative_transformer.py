"""Pre-norm transformer block with 2-D relative positions on keys and values (AutoFormer, Chen et al. 2021).

With queries q, keys k, values v of one head, and tables R^k, R^v indexed by the clipped vertical and horizontal offset
of two tokens (the class token has an entry of its own):
    a_ij = softmax_j(q_i . (k_j + R^k_ij) / sqrt(head_dim)),   out_i = sum_j a_ij (v_j + R^v_ij).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.channels import ChannelGroup, Units, head_group, made_by
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import declare, product
from search_spaces.tokens import linear_layer

MAX_OFFSET = 14
TABLE_SIZE = 2 * MAX_OFFSET + 2


class RelativePositions(nn.Module):
    """Vertical and horizontal tables (30, head_dim); gives R (N, N, head_dim) of a grid with a class token."""

    def __init__(self, head_dim: int, grid: Size) -> None:
        super().__init__()
        self.grid = grid
        self.vertical = nn.Parameter(torch.empty(TABLE_SIZE, head_dim))
        self.horizontal = nn.Parameter(torch.empty(TABLE_SIZE, head_dim))

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill one of the tables: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self) -> Tensor:
        """Return R, with entry 0 of both tables wherever the class token takes part."""
        rows, columns = relative_indices(self.grid, self.vertical.device)
        return self.vertical[rows] + self.horizontal[columns]


def relative_indices(grid: Size, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the table entries (N, N) of the vertical and horizontal offsets, N = 1 + grid's cells."""
    cells = torch.arange(grid[0] * grid[1], device=device)
    found = []
    for coordinate in (cells // grid[1], cells % grid[1]):
        offset = (coordinate[None] - coordinate[:, None]).clamp(-MAX_OFFSET, MAX_OFFSET) + MAX_OFFSET + 1
        found.append(nn.functional.pad(offset, (1, 0, 1, 0)))
    return found[0], found[1]


class RelativeAttention(nn.Module):
    """Multi-head self-attention on tokens (N, T, width), ``heads`` x ``head_dim`` inside."""

    def __init__(self, width: int, heads: int, head_dim: int, grid: Size, relative: bool) -> None:
        super().__init__()
        self.heads, self.head_dim, self.relative = heads, head_dim, relative
        inner = heads * head_dim
        self.qkv = nn.Linear(width, 3 * inner)
        declare(self.qkv.weight, product(3, heads, head_dim), width)
        declare(self.qkv.bias, product(3, heads, head_dim))
        self.projection = nn.Linear(inner, width)
        declare(self.projection.weight, width, product(heads, head_dim))
        if relative:
            self.keys = RelativePositions(head_dim, grid)
            self.values = RelativePositions(head_dim, grid)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended tokens."""
        num, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(num, tokens, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        out = self._relative(q, k, v) if self.relative else nn.functional.scaled_dot_product_attention(q, k, v)
        projected: Tensor = self.projection(out.transpose(1, 2).reshape(num, tokens, -1))
        return projected

    def _relative(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q = q * q.shape[-1] ** -0.5
        weights = (q @ k.transpose(-2, -1) + _by_query(q, self.keys().transpose(1, 2))).softmax(-1)
        out: Tensor = weights @ v + _by_query(weights, self.values())
        return out


def _by_query(rows: Tensor, table: Tensor) -> Tensor:
    """Return the products of each query's rows (N, heads, T, a) with its own part of a table (T, a, b)."""
    num, heads, tokens, _ = rows.shape
    moved = rows.permute(2, 0, 1, 3).reshape(tokens, num * heads, -1) @ table
    return moved.view(tokens, num, heads, -1).permute(1, 2, 0, 3)


@register_block("relative_transformer")
class RelativeTransformer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); tokens (N, T, width) in and out."""

    uses_size = True
    residual = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_ratio: float,
        relative: bool = True,
    ) -> None:
        super().__init__()
        _check_width(in_width, out_width)
        hidden = int(out_width * mlp_ratio)
        self.attention_norm = nn.LayerNorm(out_width)
        self.attention = RelativeAttention(out_width, heads, head_dim, in_size, relative)
        self.mlp_norm = nn.LayerNorm(out_width)
        self.expand = nn.Linear(out_width, hidden)
        self.reduce = nn.Linear(hidden, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens after attention and MLP."""
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.reduce(nn.functional.gelu(self.expand(self.mlp_norm(x))))
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads, which share the tables, and the hidden units."""
        return head_group("attention"), ChannelGroup("hidden", made_by(self, "expand"), Units("reduce.weight", 1))

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_ratio: float,
        relative: bool = True,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_width(in_width, out_width)
        tokens, hidden = 1 + in_size[0] * in_size[1], int(out_width * mlp_ratio)
        elements = tokens * out_width
        return (
            Layer("layer_norm", 0, 2 * out_width, elements, elements, held=elements),
            *attention_layers(out_width, heads, head_dim, tokens, relative),
            Layer("add", 0, 0, 2 * elements, elements),
            Layer("layer_norm", 0, 2 * out_width, elements, elements, held=elements),
            linear_layer(out_width, hidden, tokens, held=elements),
            Layer("activation", 0, 0, tokens * hidden, tokens * hidden, held=elements),
            linear_layer(hidden, out_width, tokens, held=elements),
            Layer("add", 0, 0, 2 * elements, elements),
        )


def attention_layers(width: int, heads: int, head_dim: int, tokens: int, relative: bool) -> tuple[Layer, ...]:
    """Return the layers of ``RelativeAttention``; the offsets add one product for the keys and one for the values."""
    inner, table = heads * head_dim, tokens * tokens * head_dim
    scores, held = heads * tokens * tokens, tokens * width
    macs = scores * head_dim
    into_scores = Layer("attention", macs, 0, 2 * tokens * inner, scores, held=held)
    out_of_scores = Layer("attention", macs, 0, scores + tokens * inner, tokens * inner, held=held)
    found = [linear_layer(width, 3 * inner, tokens, held), into_scores]
    # Queries, keys and values, and the scaled queries, live to the end.
    kept = held + 4 * tokens * inner
    if relative:
        tables = 2 * TABLE_SIZE * head_dim
        looked_up = (
            Layer("copy", 0, tables, tables, table, held=kept + scores, shared=tables + table),
            Layer("add", 0, 0, 2 * table, table, held=kept + scores, shared=3 * table),
        )
        found += [
            *looked_up,
            Layer("attention", macs, 0, tokens * inner + table, scores, held=kept + scores, shared=table),
            Layer("add", 0, 0, 2 * scores, scores, held=kept),
        ]
    found += [Layer("activation", 0, 0, scores, scores, held=kept if relative else held), out_of_scores]
    if relative:
        found += [
            *looked_up,
            Layer("attention", macs, 0, scores + table, tokens * inner, held=kept + scores, shared=table),
            Layer("add", 0, 0, 2 * tokens * inner, tokens * inner, held=held),
        ]
    return (*found, linear_layer(inner, width, tokens, held))


def _check_width(in_width: int, out_width: int) -> None:
    if in_width != out_width:
        raise UsageError(f"a relative_transformer block got widths {in_width} -> {out_width}: give it equal widths")
