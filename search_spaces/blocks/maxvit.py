"""MaxViT block: inverted bottleneck, attention in near windows, attention on a dilated grid (Tu et al. 2022, eq. 1-5).

Each attention is x + attention(norm(x)), then x + mlp(norm(x)). Block attention is among the M x M tokens of adjacent
windows; grid attention among M x M tokens that lie H / M rows and W / M columns apart, so that every token sees the
whole map thinly.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.pre_norm_mbconv import PreNormMBConv
from search_spaces.channels import ChannelGroup, Units, head_group
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import cells_last
from search_spaces.tokens import Mlp, SelfAttention, add_layer, layer_norm_layer
from search_spaces.window_sizes import clipped_window
from search_spaces.windows import RelativeBias, far_windows, from_far_windows, from_near_windows, near_windows


class PartitionAttention(nn.Module):
    """Transformer block on a map (N, H, W, C) whose tokens attend within windows of ``side`` x ``side``.

    The windows are adjacent tokens, or with ``grid`` every (H / side)-th row and (W / side)-th column.
    """

    def __init__(
        self, width: int, size: Size, side: int, heads: int, head_dim: int, mlp_width: int, *, grid: bool
    ) -> None:
        super().__init__()
        self.size, self.side, self.grid = size, side, grid
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, head_dim)
        self.bias = RelativeBias(heads, side)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = Mlp(width, mlp_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after attention and MLP."""
        split, join = (far_windows, from_far_windows) if self.grid else (near_windows, from_near_windows)
        attended = self.attention(split(self.attention_norm(x), self.side), self.bias())
        x = x + join(attended, self.side, self.size)
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads, with their columns of the table."""
        return (head_group("attention", Units("bias.table", 1)),)

    @staticmethod
    def layers(width: int, size: Size, side: int, heads: int, head_dim: int, mlp_width: int) -> tuple[Layer, ...]:
        """Return what one image costs; near windows and grids cost the same."""
        cells, tokens = size[0] * size[1], side * side
        elements, table, bias = width * cells, heads * (2 * side - 1) ** 2, heads * tokens * tokens
        norm = layer_norm_layer(width, cells, elements)
        return (
            norm,
            Layer("copy", 0, table, table, bias, held=2 * elements, shared=table + bias),
            *SelfAttention.layers(width, heads, head_dim, tokens, cells // tokens, elements),
            add_layer(elements),
            norm,
            *Mlp.layers(width, mlp_width, cells, elements),
            add_layer(elements),
        )


@register_block("maxvit")
class MaxVit(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    Args:
        in_width, out_width: channels.
        in_size: (height, width) of the map.
        expansion: of the convolution's hidden channels, relative to ``out_width``.
        heads: attention heads of ``head_dim`` channels each.
        mlp_width: hidden channels of the MLPs.
        window: side of windows and grids in cells; the map's side where that is smaller.
        stride: of the convolution, 1 or 2.
    """

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_width: int,
        window: int = 7,
        expansion: float = 4.0,
        stride: int = 1,
    ) -> None:
        super().__init__()
        size, side = _windowed(in_size, window, stride)
        self.conv = PreNormMBConv(in_width, out_width, in_size, expansion=expansion, stride=stride)
        self.near = PartitionAttention(out_width, size, side, heads, head_dim, mlp_width, grid=False)
        self.far = PartitionAttention(out_width, size, side, heads, head_dim, mlp_width, grid=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after convolution and both attentions."""
        out: Tensor = self.far(self.near(cells_last(self.conv(x))))
        return out.permute(0, 3, 1, 2)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        heads: int,
        head_dim: int,
        mlp_width: int,
        window: int = 7,
        expansion: float = 4.0,
        stride: int = 1,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size, side = _windowed(in_size, window, stride)
        return (
            *PreNormMBConv.layers(in_width, out_width, in_size, expansion=expansion, stride=stride),
            *(2 * PartitionAttention.layers(out_width, size, side, heads, head_dim, mlp_width)),
        )


def _windowed(in_size: Size, window: int, stride: int) -> tuple[Size, int]:
    """Return the size of the map that attends, and the side of its windows."""
    if stride not in (1, 2):
        raise UsageError(f"a maxvit block got stride {stride}: allowed: 1, 2")
    size = strided(in_size, stride)
    return size, clipped_window(window, size)
