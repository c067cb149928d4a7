"""Multi-scale block of CrossViT (Chen et al. 2021, eq. 3 to 5): two branches that exchange their class tokens.

With the tokens (c, p) of one branch and (d, q) of the other, after their own transformers:
    c' = map(c),   c'' = c' + attention of c' over (c', q), all normalised,   and the branch goes on with (map(c''), p),
where a map is linear(gelu(norm)) to the width of the other branch. Both branches do it at once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.crossvit_stem import TOKENS, large_grid
from search_spaces.blocks.transformer import Transformer
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths
from search_spaces.tokens import CrossAttention, add_layer, layer_norm_layer, linear_layer


class ClassMap(nn.Module):
    """linear(gelu(norm(x))) on a class token (N, 1, width)."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_width)
        self.linear = nn.Linear(in_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the class token in the other branch's width."""
        out: Tensor = self.linear(nn.functional.gelu(self.norm(x)))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        gelu = Layer("activation", 0, 0, in_width, in_width, held=held)
        return layer_norm_layer(in_width, 1, held), gelu, linear_layer(in_width, out_width, 1, held)


class ClassExchange(nn.Module):
    """A class token of ``width`` goes to the other branch, attends to its patches and comes back."""

    def __init__(self, width: int, other_width: int, heads: int, head_dim: int) -> None:
        super().__init__()
        self.there = ClassMap(width, other_width)
        self.norm = nn.LayerNorm(other_width)
        self.attention = CrossAttention(other_width, heads, head_dim)
        self.back = ClassMap(other_width, width)

    def forward(self, tokens: Tensor, others: Tensor) -> Tensor:
        """Return ``tokens`` (N, T, width) with the class token that attended to ``others`` (N, T', other_width)."""
        sent = self.there(tokens[:, :1])
        normalised = self.norm(torch.cat([sent, others[:, 1:]], dim=1))
        found = sent + self.attention(normalised[:, :1], normalised)
        return torch.cat([self.back(found), tokens[:, 1:]], dim=1)

    @staticmethod
    def layers(width: int, other_width: int, heads: int, head_dim: int, others: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs, with ``others`` tokens in the other branch."""
        return (
            *ClassMap.layers(width, other_width, held),
            layer_norm_layer(other_width, others, held),
            *CrossAttention.layers(other_width, heads, head_dim, 1, others, held),
            add_layer(other_width),
            *ClassMap.layers(other_width, width, held),
        )


@register_block("crossvit")
class CrossVit(nn.Module):
    """Tokens (N, T, small_width) and (N, T', out_width) of small and large patches, in and out.

    Args:
        in_width, out_width: channels of the tokens of large patches; equal.
        in_size: (rows, columns) of the grid of small patches.
        small_width: channels of the tokens of small patches.
        heads: of every attention; ``head_dim`` channels each in the large branch, ``small_head_dim`` in the small one.
        mlp_width, small_mlp_width: hidden channels of the MLPs.
        small_depth, large_depth: transformers of each branch.
        grid_ratio: large patches a side over small patches a side.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        small_width: int,
        heads: int,
        head_dim: int,
        small_head_dim: int,
        mlp_width: int,
        small_mlp_width: int,
        small_depth: int = 1,
        large_depth: int = 4,
        grid_ratio: float = 0.7,
    ) -> None:
        super().__init__()
        check_equal_widths("crossvit", in_width, out_width, 1)
        large_size = large_grid(in_size, grid_ratio)
        self.small = nn.Sequential()
        for _ in range(small_depth):
            self.small.append(
                Transformer(
                    small_width, small_width, in_size, heads=heads, head_dim=small_head_dim, mlp_width=small_mlp_width
                )
            )
        self.large = nn.Sequential()
        for _ in range(large_depth):
            self.large.append(
                Transformer(out_width, out_width, large_size, heads=heads, head_dim=head_dim, mlp_width=mlp_width)
            )
        self.small_exchange = ClassExchange(small_width, out_width, heads, head_dim)
        self.large_exchange = ClassExchange(out_width, small_width, heads, small_head_dim)

    def forward(self, x: TOKENS) -> TOKENS:
        """Return the tokens of both branches."""
        small, large = self.small(x[0]), self.large(x[1])
        return self.small_exchange(small, large), self.large_exchange(large, small)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        small_width: int,
        heads: int,
        head_dim: int,
        small_head_dim: int,
        mlp_width: int,
        small_mlp_width: int,
        small_depth: int = 1,
        large_depth: int = 4,
        grid_ratio: float = 0.7,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("crossvit", in_width, out_width, 1)
        large_size = large_grid(in_size, grid_ratio)
        num_small, num_large = 1 + in_size[0] * in_size[1], 1 + large_size[0] * large_size[1]
        held = num_small * small_width + num_large * out_width
        small = Transformer.layers(
            small_width, small_width, in_size, heads=heads, head_dim=small_head_dim, mlp_width=small_mlp_width
        )
        large = Transformer.layers(
            out_width, out_width, large_size, heads=heads, head_dim=head_dim, mlp_width=mlp_width
        )
        return (
            *(small * small_depth),
            *(large * large_depth),
            *ClassExchange.layers(small_width, out_width, heads, head_dim, num_large, held),
            *ClassExchange.layers(out_width, small_width, heads, small_head_dim, num_small, held),
        )
