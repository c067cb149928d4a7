"""Dense convolution and BatchNorm, as in a residual network (He et al. 2016)."""

from __future__ import annotations

from search_spaces.conv import ConvNormAct, conv_layers
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place


@register_mixer("conv", reach="kernel")
class Conv(ConvNormAct):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.width, place.width, place.kernel)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return conv_layers(place.width, place.width, place.size, place.kernel, held=held)
