"""Depthwise convolution with dilated branches that merge into it (UniRepLKNet, Ding et al. 2024, section 3.1).

The module of the ``unireplknet`` block: kernels of 3 and 5 are plain, larger ones have branches of their own.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.blocks.dilated_depthwise import SMALL_KERNELS, depthwise_layers, depthwise_module
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place


@register_mixer("dilated_reparam", reach="kernel")
class DilatedReparam(nn.Module):
    """(N, C, H, W) -> same shape; ``reparameterise.merge`` makes it one convolution."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        # A small kernel is not the centre of a large one, which has norms of its own: the kind is part of the name.
        self.depthwise_name = "small" if place.kernel in SMALL_KERNELS else "large"
        self.add_module(self.depthwise_name, depthwise_module(place.width, place.kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised sum of the branches."""
        out: Tensor = self.get_submodule(self.depthwise_name)(x)
        return out

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return depthwise_layers(place.width, place.kernel, place.size, held=held)
