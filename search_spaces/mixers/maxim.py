"""MAXIM's multi-axis gated MLP (Tu et al. 2022): half of the channels sees a grid, half its neighbours.

The module of ``blocks/cross_gating.py``; a grid and blocks of one side.
"""

from __future__ import annotations

from search_spaces.blocks.cross_gating import MultiAxisMlp
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place


@register_mixer("maxim", reach="window")
class Maxim(Adapter):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__(MultiAxisMlp(place.width, place.size, place.window), channels_last=True)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return MultiAxisMlp.layers(place.width, place.size, place.window, held)
