"""Pooled classifier: an optional 1x1 expansion, global average pooling, dropout, linear."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.layers import Layer


@register_block("pool_head")
class PoolHead(nn.Module):
    """(N, in_width, H, W) -> logits (N, out_width). ``expand_width`` 0 leaves the expansion out."""

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expand_width: int = 0,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.expand = ConvNormAct(in_width, expand_width, 1, activation=activation) if expand_width else nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(expand_width or in_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.dropout(self.pool(self.expand(x)).flatten(1)))
        return logits

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expand_width: int = 0,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width = expand_width or in_width
        found = conv_layers(in_width, width, in_size, 1, activation=activation) if expand_width else ()
        return (
            *found,
            Layer("pool", 0, 0, width * in_size[0] * in_size[1], width),
            Layer("linear", width * out_width, (width + 1) * out_width, width, out_width, out_width),
        )
