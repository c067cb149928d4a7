"""W_2 gelu(W_1 x) in each cell, as in a transformer."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.feed_forwards import Size, feed_forwards
from search_spaces.layers import Layer
from search_spaces.tokens import Mlp


@feed_forwards.register("mlp")
class CellwiseMlp(nn.Module):
    """(N, H, W, C) -> same shape."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mapped cells."""
        out: Tensor = self.mlp(x)
        return out

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return Mlp.layers(width, hidden, size[0] * size[1], held)
