"""LSNet's head: global average pooling, BatchNorm of the averages, classifier."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.tokens import linear_layer


@register_block("batch_norm_head")
class BatchNormHead(nn.Module):
    """(N, in_width, H, W) -> logits (N, out_width)."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(in_width)
        self.classifier = nn.Linear(in_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        pooled = nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
        logits: Tensor = self.classifier(self.norm(pooled))
        return logits

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            Layer("pool", 0, 0, in_width * in_size[0] * in_size[1], in_width),
            Layer("batch_norm", 0, 2 * in_width, in_width, in_width),
            linear_layer(in_width, out_width, 1),
        )
