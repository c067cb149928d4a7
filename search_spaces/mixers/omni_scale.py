"""OSNet's omni-scale streams with one gate for all (Zhou et al. 2019): what the ``osnet_block`` adds to its input.

Stream t sees 2 t + 1 cells a side, so that ``kernel`` says how many streams there are.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from search_spaces.blocks.osnet_block import OsnetBlock
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place


@register_mixer("omni_scale", reach="kernel")
class OmniScale(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.block = OsnetBlock(place.width, place.width, place.size, streams=place.kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated sum of the streams, mixed."""
        return self.block.changed(x)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; the sum and the ReLU of the whole block are not here."""
        found = OsnetBlock.layers(place.width, place.width, place.size, streams=place.kernel // 2)[:-2]
        return tuple(replace(layer, held=layer.held + held) for layer in found)
