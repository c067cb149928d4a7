"""Pooled classifier with a LayerNorm: of ConvNeXt, UniRepLKNet and HorNet behind the pooling, of SMT before it."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import unknown
from search_spaces.layers import Layer
from search_spaces.maps import EPSILON
from search_spaces.tokens import layer_norm_layer, linear_layer

POOLING = ("adaptive", "mean")


@register_block("layer_norm_head")
class LayerNormHead(nn.Module):
    """(N, in_width, H, W) -> logits (N, out_width).

    ``pooling`` is the same average by two operations, of which fvcore counts the first alone: ``adaptive`` pooling or
    ``mean``. With ``norm_first`` every cell is normalised and then averaged, else the average is.
    """

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, pooling: str = "mean", norm_first: bool = False
    ) -> None:
        super().__init__()
        if pooling not in POOLING:
            raise unknown("pooling", pooling, POOLING)
        self.pooling, self.norm_first = pooling, norm_first
        self.norm = nn.LayerNorm(in_width, EPSILON)
        self.classifier = nn.Linear(in_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        if self.norm_first:
            x = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = nn.functional.adaptive_avg_pool2d(x, 1).flatten(1) if self.pooling == "adaptive" else x.mean((2, 3))
        logits: Tensor = self.classifier(x if self.norm_first else self.norm(x))
        return logits

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, pooling: str = "mean", norm_first: bool = False
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells = in_size[0] * in_size[1]
        norm = layer_norm_layer(in_width, cells if norm_first else 1)
        pool = Layer("pool" if pooling == "adaptive" else "mean", 0, 0, in_width * cells, in_width)
        return (*((norm, pool) if norm_first else (pool, norm)), linear_layer(in_width, out_width, 1))
