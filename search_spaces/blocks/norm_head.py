"""Head after pre-activation blocks: BatchNorm, ReLU, global average pooling, classifier."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.pool_head import PoolHead
from search_spaces.conv import Size
from search_spaces.layers import Layer


@register_block("norm_head")
class NormHead(nn.Module):
    """(N, in_width, H, W) -> logits (N, out_width)."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_width)
        self.pooled = PoolHead(in_width, out_width, in_size, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.pooled(nn.functional.relu(self.norm(x)))
        return logits

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, dropout: float = 0.0) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = in_width * in_size[0] * in_size[1]
        return (
            Layer("batch_norm", 0, 2 * in_width, elements, elements),
            Layer("activation", 0, 0, elements, elements),
            *PoolHead.layers(in_width, out_width, in_size),
        )
