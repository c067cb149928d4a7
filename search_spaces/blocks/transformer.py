"""Plain pre-norm transformer block (ViT, Dosovitskiy et al. 2021, eq. 2 and 3)."""

from __future__ import annotations

from search_spaces.block import register_block
from search_spaces.channels import ChannelGroup, head_group
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.tokens import PreNorm, SelfAttention


@register_block("transformer")
class Transformer(PreNorm):
    """x + attention(norm(x)), then x + mlp(norm(x)); tokens (N, T, width) in and out.

    Args:
        in_width, out_width: channels of a token; equal.
        in_size: (rows, columns) of the grid of patches; with a class token there is one token more.
        heads: attention heads of ``head_dim`` channels each.
        mlp_width: hidden channels of the MLP.
        class_token: whether the tokens hold one (counting alone asks).
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_width: int,
        class_token: bool = True,
    ) -> None:
        _check_width(in_width, out_width)
        super().__init__(SelfAttention(out_width, heads, head_dim), out_width, mlp_width)

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads."""
        return (head_group("attention"),)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_width: int,
        class_token: bool = True,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_width(in_width, out_width)
        tokens = in_size[0] * in_size[1] + class_token
        attention = SelfAttention.layers(out_width, heads, head_dim, tokens, held=tokens * out_width)
        return PreNorm.layers_around(attention, out_width, mlp_width, tokens)


def _check_width(in_width: int, out_width: int) -> None:
    if in_width != out_width:
        raise UsageError(f"a transformer block got widths {in_width} -> {out_width}: give it equal widths")
