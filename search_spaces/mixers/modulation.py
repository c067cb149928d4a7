"""SMT's scale-aware modulation (Lin et al. 2023), the module of the ``smt_modulation`` block."""

from __future__ import annotations

from search_spaces.blocks.smt_modulation import KERNELS, ScaleAwareModulation
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place


@register_mixer("modulation")
class Modulation(Adapter):
    """(N, C, H, W) -> same shape; its four kernels are fixed."""

    def __init__(self, place: Place) -> None:
        place.require_multiple("modulation", len(KERNELS))
        super().__init__(ScaleAwareModulation(place.width), channels_last=True)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; the addition to a residual is the block's."""
        place.require_multiple("modulation", len(KERNELS))
        return ScaleAwareModulation.layers(place.width, place.size, held)[:-1]
