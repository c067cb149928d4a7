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

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.sret_layers import GroupAttention, WeightedMlp, permutation
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths, plain_conv, plain_conv_layer


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
        self.permutation = permutation(_num_tokens(in_size, stride)) if later_groups > 1 else None
        shared = gcd(in_width, out_width)
        # A group's widths stand in the name, since a leading part is a smaller convolution only where they are equal.
        self.halving_name = f"grouped{in_width // shared}to{out_width // shared}" if stride > 1 else ""
        if stride > 1:
            self.add_module(self.halving_name, plain_conv(in_width, out_width, 3, stride, shared))
        self.attention = GroupAttention(out_width, heads, head_dim)
        self.mlp = WeightedMlp(out_width, mlp_width)
        self.projections = nn.ModuleList(WeightedMlp(out_width, projection_width) for _ in self.passes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after every pass."""
        if self.halving_name:
            x = self.get_submodule(self.halving_name)(x)
        tokens = x.flatten(2).transpose(1, 2)
        for number, (groups, project) in enumerate(zip(self.passes, self.projections, strict=True)):
            tokens = self.attention(tokens, groups, self.permutation if number else None)
            tokens = project(self.mlp(tokens))
        return tokens.transpose(1, 2).reshape(x.shape)

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
    _check_groups(_num_tokens(in_size, stride), groups=groups, later_groups=later_groups)
    return (groups, *(later_groups for _ in range(loops - 1)))


def _check_groups(num_tokens: int, **groups: int) -> None:
    """Raise UsageError where a number of groups does not divide the tokens."""
    for name, value in groups.items():
        if value < 1 or num_tokens % value:
            allowed = [number for number in range(1, min(num_tokens, 64) + 1) if num_tokens % number == 0]
            raise UsageError(f"{name} {value} does not divide {num_tokens} tokens: allowed: {allowed}")
