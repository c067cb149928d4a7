"""SReT's recursion (Shen et al. 2022): one self-attention runs twice with the same weights, y_2 = A(x + y_1).

The output is y_1 + y_2, y_1 = A(x): parameters do not depend on the number of passes. Of the whole ``sret`` block this
is the recursion alone: the MLP after each pass and the slices of tokens are the block's.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, head_group
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import SelfAttention, add_layer

LOOPS = 2


@register_mixer("recursion")
class Recursion(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place, loops: int = LOOPS) -> None:
        super().__init__()
        self.loops = loops
        self.attention = SelfAttention(place.width, place.heads, place.head_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return what all passes add."""
        tokens = x.flatten(2).transpose(1, 2).contiguous()
        out: Tensor = self.attention(tokens)
        for _ in range(1, self.loops):
            out = out + self.attention(tokens + out)
        return out.transpose(1, 2).reshape(x.shape)

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads."""
        return (head_group("attention"),)

    @staticmethod
    def layers(place: Place, held: int, loops: int = LOOPS) -> tuple[Layer, ...]:
        """Return what one image costs; the weights count once."""
        elements = place.elements
        once = SelfAttention.layers(place.width, place.heads, place.head_dim, place.cells, held=held + 2 * elements)
        again = (add_layer(elements), *(replace(layer, params=0) for layer in once), add_layer(elements))
        return (*once, *(again * (loops - 1)))
