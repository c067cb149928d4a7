"""Self-attention among all cells of the map (Vaswani et al. 2017), as in a vision transformer."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, head_group
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import SelfAttention


@register_mixer("attention")
class GlobalAttention(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.attention = SelfAttention(place.width, place.heads, place.head_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        attended: Tensor = self.attention(x.flatten(2).transpose(1, 2).contiguous())
        return attended.transpose(1, 2).reshape(x.shape)

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads."""
        return (head_group("attention"),)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return SelfAttention.layers(place.width, place.heads, place.head_dim, place.cells, held=held)
