"""Inception-ResNet's residual with factorised 1x7 and 7x1 convolutions (Szegedy et al. 2017, figure 17).

What the ``inception_residual`` block adds to its input, scaled by 0.2.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from search_spaces.blocks.inception import InceptionResidual
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place

SCALE = 0.2


@register_mixer("inception")
class InceptionMixer(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.block = InceptionResidual(
            place.width, place.width, place.size, variant="block17", inner_width=place.width // 4, scale=SCALE
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled mix of the branches."""
        return self.block.changed(x)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; the sum and the ReLU of the whole block are not here."""
        found = InceptionResidual.layers(
            place.width, place.width, place.size, variant="block17", inner_width=place.width // 4, scale=SCALE
        )
        return tuple(replace(layer, held=layer.held + held) for layer in found[:-2])
