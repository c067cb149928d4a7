"""Transformer head: final LayerNorm, mean of the patch tokens (or the class token), classifier."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import unknown
from search_spaces.layers import Layer

POOLING = ("mean", "class_token")


@register_block("token_head")
class TokenHead(nn.Module):
    """Tokens (N, T, in_width), class token first -> logits (N, out_width)."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, pooling: str = "mean") -> None:
        super().__init__()
        if pooling not in POOLING:
            raise unknown("pooling", pooling, POOLING)
        self.pooling = pooling
        self.norm = nn.LayerNorm(in_width)
        self.classifier = nn.Linear(in_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.norm(x)
        logits: Tensor = self.classifier(x[:, 1:].mean(1) if self.pooling == "mean" else x[:, 0])
        return logits

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, pooling: str = "mean") -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = (1 + in_size[0] * in_size[1]) * in_width
        found = [Layer("layer_norm", 0, 2 * in_width, elements, elements)]
        if pooling == "mean":
            found.append(Layer("mean", 0, 0, elements - in_width, in_width))
        weight = in_width * out_width
        return (*found, Layer("linear", weight, weight + out_width, in_width, out_width, out_width))
