"""Depthwise convolution in every cell's neighbourhood: the mixer of ConvNeXt (Liu et al. 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.maps import plain_conv, plain_conv_layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place


@register_mixer("depthwise", reach="kernel")
class Depthwise(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.conv = plain_conv(place.width, place.width, place.kernel, groups=place.width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map."""
        out: Tensor = self.conv(x)
        return out

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (plain_conv_layer(place.width, place.width, place.size, place.kernel, groups=place.width, held=held),)
