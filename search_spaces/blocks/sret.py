"""Sliced recursive transformer block (Shen et al. 2022, sections 3.2 and 3.4).

One transformer block runs ``loops`` times with the same weights; after every pass follows an MLP of its own (the
non-linear projection layer, NPL), and every residual sum is a f(x) + b x with two learned numbers. Attention is within
groups of consecutive tokens: ``groups`` of them in the first pass, ``later_groups`` in the others, before which the
tokens are permuted (and brought back after it), unless they are one group.

The reference draws a new permutation at every call, in evaluation too; here it is a fixed one for each number of
tokens, so that a network gives one output. With stride 2 a grouped 3x3 convolution stands before the block.
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import EPSILON, check_equal_widths, plain_conv, plain_conv_layer
from search_spaces.tokens import Mlp, SelfAttention, layer_norm_layer


def permutation(num: int) -> tuple[int, ...]:
    """Return the fixed permutation of ``num`` tokens."""
    return tuple(np.random.default_rng(num).permutation(num).tolist())


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

    def forward(self, x: Tensor, groups: int, order: tuple[int, ...]) -> Tensor:
        """Return the attended tokens; ``order`` permutes them into groups, an empty one leaves them."""
        tokens: Tensor = self.norm(x)
        if order:
            index = torch.tensor(order, device=x.device)
            attended = self._within(tokens[:, index], groups)[:, index.argsort()]
        else:
            attended = self._within(tokens, groups)
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


@register_block("sret")
class Sret(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    Args:
        in_width, out_width: channels.
        in_size: (height, width) of the map.
        heads: attention heads of ``head_dim`` channels each.
        mlp_width: hidden channels of the shared MLP.
        projection_width: hidden channels of the MLP after each pass.
        loops: how often the shared weights run.
        groups, later_groups: of tokens in the first pass and in the others; each divides the number of tokens.
        stride: 2 halves the map first; else 1.
    """

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_width: int,
        projection_width: int,
        loops: int = 2,
        groups: int = 1,
        later_groups: int = 1,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.passes = _passes(in_width, out_width, in_size, stride, loops, groups, later_groups)
        num_tokens = _num_tokens(in_size, stride)
        self.later_order = permutation(num_tokens) if later_groups > 1 else ()
        shared = gcd(in_width, out_width)
        # The group's widths stand in the name, since a leading part is a smaller convolution only where they are equal.
        self.halving_name = f"grouped{in_width // shared}to{out_width // shared}"
        if stride > 1:
            self.add_module(self.halving_name, plain_conv(in_width, out_width, 3, stride, shared))
        self.attention = GroupAttention(out_width, heads, head_dim)
        self.mlp = WeightedMlp(out_width, mlp_width)
        self.projections = nn.ModuleList(WeightedMlp(out_width, projection_width) for _ in self.passes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after every pass."""
        if hasattr(self, self.halving_name):
            x = self.get_submodule(self.halving_name)(x)
        tokens = x.flatten(2).transpose(1, 2)
        for number, (groups, project) in enumerate(zip(self.passes, self.projections, strict=True)):
            tokens = self.attention(tokens, groups, self.later_order if number else ())
            tokens = project(self.mlp(tokens))
        return tokens.transpose(1, 2).unflatten(2, x.shape[2:])

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_width: int,
        projection_width: int,
        loops: int = 2,
        groups: int = 1,
        later_groups: int = 1,
        stride: int = 1,
    ) -> tuple[Layer, ...]:
        """Return what one image costs; the weights that are shared count once."""
        passes = _passes(in_width, out_width, in_size, stride, loops, groups, later_groups)
        tokens = _num_tokens(in_size, stride)
        found: list[Layer] = []
        if stride > 1:
            found.append(plain_conv_layer(in_width, out_width, in_size, 3, stride, gcd(in_width, out_width)))
        for number, group in enumerate(passes):
            permuted = number > 0 and group > 1
            attention = GroupAttention.layers(out_width, heads, head_dim, tokens, group, permuted)
            shared = (*attention, *WeightedMlp.layers(out_width, mlp_width, tokens))
            found += [replace(layer, params=0) for layer in shared] if number else shared
            found += WeightedMlp.layers(out_width, projection_width, tokens)
        return tuple(found)


def _num_tokens(in_size: Size, stride: int) -> int:
    height, width = strided(in_size, stride)
    return height * width


def _passes(
    in_width: int, out_width: int, in_size: Size, stride: int, loops: int, groups: int, later_groups: int
) -> tuple[int, ...]:
    """Return the number of groups of each pass.

    Raises:
        UsageError: the stride, the loops or the groups are not allowed here.
    """
    if stride not in (1, 2):
        raise UsageError(f"an sret block got stride {stride}: allowed: 1, 2")
    check_equal_widths("sret", in_width, out_width, stride)
    if loops < 1:
        raise UsageError(f"an sret block got loops {loops}: allowed: 1 or more")
    check_groups(_num_tokens(in_size, stride), groups=groups, later_groups=later_groups)
    return (groups, *(later_groups for _ in range(loops - 1)))


def check_groups(num_tokens: int, **groups: int) -> None:
    """Raise UsageError where a number of groups does not divide the tokens."""
    for name, value in groups.items():
        if value < 1 or num_tokens % value:
            allowed = [number for number in range(1, min(num_tokens, 64) + 1) if num_tokens % number == 0]
            raise UsageError(f"{name} {value} does not divide {num_tokens} tokens: allowed: {allowed}")
