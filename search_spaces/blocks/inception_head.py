"""The head of Inception networks: ``pool_head`` on a map that unpadded operations have made smaller."""

from __future__ import annotations

from search_spaces.block import register_block
from search_spaces.blocks.pool_head import PoolHead
from search_spaces.conv import Size
from search_spaces.layers import Layer


@register_block("inception_head")
class InceptionHead(PoolHead):
    """(N, in_width, H, W) -> logits (N, out_width). ``border``: the rows and columns that ``in_size`` has too many."""

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
        border: int = 0,
    ) -> None:
        super().__init__(
            in_width, out_width, in_size, expand_width=expand_width, activation=activation, dropout=dropout
        )

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expand_width: int = 0,
        activation: str = "relu",
        dropout: float = 0.0,
        border: int = 0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size = in_size[0] - border, in_size[1] - border
        return PoolHead.layers(in_width, out_width, size, expand_width=expand_width, activation=activation)
