"""Swin's attention in windows that every second block shifts (Liu et al. 2021), the module of the ``swin`` block."""

from __future__ import annotations

from search_spaces.blocks.swin import WindowAttention, window_and_shift
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place


@register_mixer("swin", reach="window")
class SwinMixer(Adapter):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        side, shift = window_and_shift(place.window, place.shifted, place.size)
        attention = WindowAttention(place.width, place.size, place.heads, place.head_dim, side, shift)
        super().__init__(attention, channels_last=True)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        side, shift = window_and_shift(place.window, place.shifted, place.size)
        return WindowAttention.layers(place.width, place.size, place.heads, place.head_dim, side, shift, held)
