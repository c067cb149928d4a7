"""MaxViT's head: global average pooling, LayerNorm, linear, tanh, classifier (Tu et al. 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.tokens import layer_norm_layer, linear_layer


@register_block("maxvit_head")
class MaxVitHead(nn.Module):
    """(N, in_width, H, W) -> logits (N, out_width), with ``hidden_width`` channels before the classifier."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, hidden_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_width)
        self.hidden = nn.Linear(in_width, hidden_width)
        self.classifier = nn.Linear(hidden_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        pooled = nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
        logits: Tensor = self.classifier(self.hidden(self.norm(pooled)).tanh())
        return logits

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, hidden_width: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            Layer("pool", 0, 0, in_width * in_size[0] * in_size[1], in_width),
            layer_norm_layer(in_width, 1),
            linear_layer(in_width, hidden_width, 1),
            Layer("activation", 0, 0, hidden_width, hidden_width),
            linear_layer(hidden_width, out_width, 1),
        )
