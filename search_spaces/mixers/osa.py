"""VoVNet's one-shot aggregation of three 3x3 convolutions of half the width (Lee et al. 2019), the ``osa`` block."""

from __future__ import annotations

from dataclasses import replace

from search_spaces.blocks.osa import OneShotAggregation
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place

NUM_LAYERS = 3


@register_mixer("osa")
class Osa(Adapter):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        width = place.width
        super().__init__(OneShotAggregation(width, width, place.size, mid_width=width // 2, num_layers=NUM_LAYERS))

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width = place.width
        found = OneShotAggregation.layers(width, width, place.size, mid_width=width // 2, num_layers=NUM_LAYERS)
        return tuple(replace(layer, held=layer.held + held) for layer in found)
