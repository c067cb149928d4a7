"""Swin transformer block with attention in windows (Liu et al. 2021, eq. 3 and 4).

x + attention(norm(x)) in windows of M x M tokens, then x + mlp(norm(x)). Every second block shifts its windows by
M // 2, unless a window is the whole map. With stride 2, patch merging stands before it: four neighbours side by side,
norm, linear. Channels of merged patches are ordered (channel, neighbour): a narrower block is a leading part.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.channels import ChannelGroup, Units, head_group
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths
from search_spaces.tokens import PreNorm, SelfAttention, layer_norm_layer, linear_layer
from search_spaces.window_sizes import clipped_window, merged_size
from search_spaces.windows import RelativeBias, from_near_windows, near_windows, shift_mask


class PatchMerging(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H / 2, W / 2)."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * in_width)
        self.reduce = nn.Linear(4 * in_width, out_width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the coarser map."""
        merged: Tensor = self.reduce(self.norm(nn.functional.pixel_unshuffle(x, 2).permute(0, 2, 3, 1)))
        return merged.permute(0, 3, 1, 2)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells, width = in_size[0] * in_size[1] // 4, 4 * in_width
        return layer_norm_layer(width, cells), linear_layer(width, out_width, cells, bias=False)


class WindowAttention(nn.Module):
    """Self-attention in windows of a map (N, H, W, C), shifted by ``shift`` cells."""

    def __init__(self, width: int, size: Size, heads: int, head_dim: int, side: int, shift: int) -> None:
        super().__init__()
        self.size, self.side, self.shift = size, side, shift
        self.attention = SelfAttention(width, heads, head_dim)
        self.bias = RelativeBias(heads, side)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        bias = self.bias()
        if self.shift:
            x = x.roll((-self.shift, -self.shift), (1, 2))
            mask = shift_mask(self.size, self.side, self.shift, x.device)
            bias = bias.masked_fill(mask[:, None], float("-inf"))
        x = from_near_windows(self.attention(near_windows(x, self.side), bias), self.side, self.size)
        return x.roll((self.shift, self.shift), (1, 2)) if self.shift else x

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads, with their columns of the table."""
        return (head_group("attention", Units("bias.table", 1)),)

    @staticmethod
    def layers(
        width: int, size: Size, heads: int, head_dim: int, side: int, shift: int, held: int = 0
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        tokens, elements = side * side, width * size[0] * size[1]
        windows, scores = size[0] * size[1] // tokens, heads * tokens * tokens
        table, bias = heads * (2 * side - 1) ** 2, scores * (windows if shift else 1)
        moved = (Layer("copy", 0, 0, elements, elements, held=held),) if shift else ()
        return (
            Layer("copy", 0, table, table, bias, held=held, shared=table + bias),
            *moved,
            *SelfAttention.layers(width, heads, head_dim, tokens, windows, held),
            *moved,
        )


@register_block("swin")
class Swin(PreNorm):
    """(N, in_width, H, W) -> (N, out_width, H / stride, W / stride).

    Args:
        in_width, out_width: channels.
        in_size: (height, width) of the map, before merging.
        heads: attention heads of ``head_dim`` channels each.
        mlp_width: hidden channels of the MLP.
        window: side of the windows in cells; the map's side where that is smaller.
        shifted: whether the windows are shifted.
        stride: 2 merges patches first; else 1.
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
        shifted: bool = False,
        stride: int = 1,
    ) -> None:
        check_equal_widths("swin", in_width, out_width, stride)
        size = merged_size("swin", in_size, stride)
        attention = WindowAttention(out_width, size, heads, head_dim, *window_and_shift(window, shifted, size))
        super().__init__(attention, out_width, mlp_width)
        self.merging = PatchMerging(in_width, out_width) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after attention and MLP."""
        return super().forward(self.merging(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

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
        shifted: bool = False,
        stride: int = 1,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("swin", in_width, out_width, stride)
        size = merged_size("swin", in_size, stride)
        cells = size[0] * size[1]
        place = window_and_shift(window, shifted, size)
        attention = WindowAttention.layers(out_width, size, heads, head_dim, *place, held=cells * out_width)
        merging = PatchMerging.layers(in_width, out_width, in_size) if stride > 1 else ()
        return *merging, *PreNorm.layers_around(attention, out_width, mlp_width, cells)


def window_and_shift(window: int, shifted: bool, size: Size) -> tuple[int, int]:
    """Return side and shift of the windows."""
    side = clipped_window(window, size)
    return side, side // 2 if shifted and side < min(size) else 0
