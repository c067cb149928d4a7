"""HorNet's recursive gated convolution of order 3 (Rao et al. 2022), the module of the ``hornet`` block."""

from __future__ import annotations

from search_spaces.blocks.hornet import GatedConv
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place

ORDER = 3


@register_mixer("gnconv", reach="kernel")
class GnConv(Adapter):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__(GatedConv(place.width, ORDER, place.kernel, place.size, global_filter=False))

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return GatedConv.layers(place.width, ORDER, place.kernel, place.size, global_filter=False, held=held)
