"""Head of CrossViT (Chen et al. 2021): the mean of the logits that each branch's class token gives."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.crossvit_stem import TOKENS, large_grid
from search_spaces.blocks.token_head import TokenHead
from search_spaces.conv import Size
from search_spaces.layers import Layer


@register_block("crossvit_head")
class CrossVitHead(nn.Module):
    """Tokens (N, T, small_width) and (N, T', in_width) of small and large patches -> logits (N, out_width)."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, small_width: int, grid_ratio: float = 0.7
    ) -> None:
        super().__init__()
        self.small = TokenHead(small_width, out_width, in_size, pooling="class_token")
        self.large = TokenHead(in_width, out_width, large_grid(in_size, grid_ratio), pooling="class_token")

    def forward(self, x: TOKENS) -> Tensor:
        """Return the logits."""
        logits: Tensor = (self.small(x[0]) + self.large(x[1])) / 2
        return logits

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, small_width: int, grid_ratio: float = 0.7
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            *TokenHead.layers(small_width, out_width, in_size, pooling="class_token"),
            *TokenHead.layers(in_width, out_width, large_grid(in_size, grid_ratio), pooling="class_token"),
            Layer("add", 0, 0, 2 * out_width, out_width),
        )
