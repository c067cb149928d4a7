"""GFNet's global filter, irfft2(K * rfft2(x)) with a learned K (Rao et al. 2021): the spectral half of HorNet-GF's.

ONNX has it as DFT operators (operator set 20).
"""

from __future__ import annotations

from search_spaces.blocks.global_filter import GlobalFilter, frequencies
from search_spaces.layers import Layer
from search_spaces.layout import Plain
from search_spaces.mixers import register_mixer
from search_spaces.mixers.adapter import Adapter
from search_spaces.mixers.place import Place


@register_mixer("global_filter")
class GlobalFilterMixer(Adapter):
    """(N, C, H, W) -> same shape; the filter of another size of map is this one, resized."""

    def __init__(self, place: Place) -> None:
        super().__init__(GlobalFilter(place.width, place.size, Plain(place.width)))

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; transforms are no products and count nothing, as in fvcore."""
        rows, columns = frequencies(place.size)
        return (Layer("scale", 0, place.width * rows * columns * 2, place.elements, place.elements, held=held),)
