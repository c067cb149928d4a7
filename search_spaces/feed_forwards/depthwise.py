"""W_2 gelu(h + depthwise3x3(h)), h = W_1 x: the feed-forward part of SMT (Lin et al. 2023)."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.blocks.smt_mix import DepthwiseMlp
from search_spaces.feed_forwards import Size, feed_forwards
from search_spaces.layers import Layer


@feed_forwards.register("depthwise_mlp")
class DepthwiseFeedForward(nn.Module):
    """(N, H, W, C) -> same shape."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.mlp = DepthwiseMlp(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mapped cells."""
        out: Tensor = self.mlp(x)
        return out

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; the addition to a residual is the block's."""
        return DepthwiseMlp.layers(width, hidden, size, held)[:-1]
