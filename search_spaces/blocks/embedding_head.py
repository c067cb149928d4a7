"""Embedding: the mean of the last map, a linear map, a vector of length 1."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.pyramid import Levels, as_map
from search_spaces.tokens import linear_layer


@register_block("embedding_head")
class EmbeddingHead(nn.Module):
    """The levels of a pyramid -> vectors (N, out_width) of Euclidean norm 1, made of the coarsest level."""

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, levels: Levels) -> None:
        super().__init__()
        self.coarsest = levels[-1]
        self.projection = nn.Linear(self.coarsest.width, out_width)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Return the vectors."""
        return nn.functional.normalize(self.projection(as_map(x[-1], self.coarsest).mean((2, 3))), dim=1)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, levels: Levels) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width, size = levels[-1].width, levels[-1].size
        return (
            Layer("mean", 0, 0, width * size[0] * size[1], width),
            linear_layer(width, out_width, 1),
            Layer("scale", 0, 0, out_width, out_width),
        )
