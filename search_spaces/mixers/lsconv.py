"""LSNet's "see large, focus small" convolution (Wang et al. 2025), the modules of the ``lsconv`` block."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.blocks.lsconv import GROUP_WIDTH, WEIGHTS, NeighbourWeights, aggregate
from search_spaces.layers import Layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place


@register_mixer("lsconv", reach="kernel")
class LsConvMixer(nn.Module):
    """(N, C, H, W) -> same shape; ``kernel`` is the large one, which sees what the 3x3 weights follow."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        place.require_multiple("lsconv", GROUP_WIDTH)
        self.weights = NeighbourWeights(place.width, place.kernel)
        self.norm = nn.BatchNorm2d(place.width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the aggregated map."""
        out: Tensor = self.norm(aggregate(x, self.weights(x)))
        return out

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        place.require_multiple("lsconv", GROUP_WIDTH)
        elements, weights = place.elements, place.elements // GROUP_WIDTH * WEIGHTS
        return (
            *NeighbourWeights.layers(place.width, place.kernel, place.size, held + elements),
            Layer("scale", 0, 0, elements + weights, elements, held=held),
            Layer("batch_norm", 0, 2 * place.width, elements, elements, held=held),
        )
