"""Parts of SReT's blocks (Shen et al. 2022): weighted residual sums, attention in groups of tokens, permutations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.maps import EPSILON
from search_spaces.tokens import Mlp, SelfAttention, layer_norm_layer


@dataclass(frozen=True, slots=True)
class Permutation:
    """``order`` holds the old place of each token, ``inverse`` brings them back."""

    order: tuple[int, ...]
    inverse: tuple[int, ...]


def permutation(num: int) -> Permutation:
    """Return the fixed permutation of ``num`` tokens."""
    order = np.random.default_rng(num).permutation(num)
    return Permutation(tuple(order.tolist()), tuple(order.argsort().tolist()))


class WeightedSum(nn.Module):
    """skip * x + branch * changed, with two learned numbers that start at 1."""

    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Parameter(torch.empty(1))
        self.branch = nn.Parameter(torch.empty(1))

    def forward(self, x: Tensor, changed: Tensor) -> Tensor:
        """Return the sum."""
        return self.skip * x + self.branch * changed

    @staticmethod
    def layers(elements: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        scaled = Layer("scale", 0, 1, elements, elements, held=elements)
        return scaled, scaled, Layer("add", 0, 0, 2 * elements, elements)


class WeightedMlp(nn.Module):
    """The weighted sum of x and mlp(norm(x)), on tokens (N, T, width)."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, EPSILON)
        self.mlp = Mlp(width, hidden_width)
        self.sum = WeightedSum()

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens after the MLP."""
        out: Tensor = self.sum(x, self.mlp(self.norm(x)))
        return out

    @staticmethod
    def layers(width: int, hidden_width: int, tokens: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = tokens * width
        return (
            layer_norm_layer(width, tokens, elements),
            *Mlp.layers(width, hidden_width, tokens, elements),
            *WeightedSum.layers(elements),
        )


class GroupAttention(nn.Module):
    """The weighted sum of x and the self-attention of norm(x) within groups, on tokens (N, T, width)."""

    def __init__(self, width: int, heads: int, head_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, EPSILON)
        self.attention = SelfAttention(width, heads, head_dim)
        self.sum = WeightedSum()

    def forward(self, x: Tensor, groups: int, permuted: Permutation | None = None) -> Tensor:
        """Return the attended tokens, which are permuted into groups where that is given."""
        tokens: Tensor = self.norm(x)
        if permuted:
            tokens = tokens[:, torch.tensor(permuted.order, device=x.device)]
        attended = self._within(tokens, groups)
        if permuted:
            attended = attended[:, torch.tensor(permuted.inverse, device=x.device)]
        out: Tensor = self.sum(x, attended)
        return out

    def _within(self, tokens: Tensor, groups: int) -> Tensor:
        num, length, width = tokens.shape
        attended: Tensor = self.attention(tokens.reshape(num * groups, length // groups, width))
        return attended.reshape(num, length, width)

    @staticmethod
    def layers(width: int, heads: int, head_dim: int, tokens: int, groups: int, permuted: bool) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = tokens * width
        moved = (Layer("copy", 0, 0, elements, elements, held=elements),) if permuted else ()
        return (
            layer_norm_layer(width, tokens, elements),
            *moved,
            *SelfAttention.layers(width, heads, head_dim, tokens // groups, groups, elements),
            *moved,
            *WeightedSum.layers(elements),
        )
