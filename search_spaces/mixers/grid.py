"""MaxViT's grid attention (Tu et al. 2022, section 3.3): a window takes every (H / side)-th row, likewise columns."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, Units, head_group
from search_spaces.layers import Layer
from search_spaces.maps import cells_last
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import SelfAttention
from search_spaces.window_sizes import clipped_window
from search_spaces.windows import RelativeBias, far_windows, from_far_windows


@register_mixer("grid", reach="window")
class GridAttention(nn.Module):
    """(N, C, H, W) -> same shape: every cell sees the whole map thinly."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.size, self.side = place.size, clipped_window(place.window, place.size)
        self.attention = SelfAttention(place.width, place.heads, place.head_dim)
        self.bias = RelativeBias(place.heads, self.side)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        attended = self.attention(far_windows(cells_last(x), self.side), self.bias())
        return from_far_windows(attended, self.side, self.size).permute(0, 3, 1, 2)

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads, with their columns of the table."""
        return (head_group("attention", Units("bias.table", 1)),)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        side = clipped_window(place.window, place.size)
        table, tokens = place.heads * (2 * side - 1) ** 2, side * side
        bias = place.heads * tokens * tokens
        return (
            Layer("copy", 0, table, table, bias, held=held, shared=table + bias),
            *SelfAttention.layers(place.width, place.heads, place.head_dim, tokens, place.cells // tokens, held),
        )
