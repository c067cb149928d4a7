"""CrossFormer's short- and long-distance attention with a dynamic position bias (Wang et al. 2022), by turns.

The module of the ``crossformer`` block: groups of near cells, in every second block of far ones.
"""

from __future__ import annotations

from search_spaces.blocks.crossformer import GroupAttention
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place
from search_spaces.window_sizes import clipped_window


@register_mixer("crossformer", reach="window")
class CrossFormerMixer(Adapter):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        side = clipped_window(place.window, place.size)
        attention = GroupAttention(
            place.width, place.size, place.heads, place.head_dim, _bias_width(place), side, far=place.shifted
        )
        super().__init__(attention, channels_last=True)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        side = clipped_window(place.window, place.size)
        return GroupAttention.layers(
            place.width, place.cells, place.heads, place.head_dim, _bias_width(place), side, held
        )


def _bias_width(place: Place) -> int:
    """Return the hidden channels of the bias' MLP."""
    return max(4, place.width // 4)
