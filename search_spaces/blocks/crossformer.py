"""CrossFormer block: attention in groups of near or of far cells, dynamic position bias (Wang et al. 2022).

x + attention(norm(x)) in groups of G x G cells, adjacent ones or every (side / G)-th one, then x + mlp(norm(x)). The
bias of two cells is an MLP of their offset, one output a head. With stride 2, a cross-scale embedding stands before
it: norm, then convolutions of kernels 2 and 4 and stride 2 that give half of the channels each (interleaved).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.channels import ChannelGroup, head_group, made_by
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import ChannelNorm, check_equal_widths
from search_spaces.tokens import PreNorm, SelfAttention, layer_norm_layer, linear_layer
from search_spaces.window_sizes import clipped_window, merged_size
from search_spaces.windows import far_windows, from_far_windows, from_near_windows, near_windows, relative_index

KERNELS = (2, 4)


class CrossScaleMerging(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H / 2, W / 2)."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(in_width)
        self.near = nn.Conv2d(in_width, out_width // 2, KERNELS[0], 2)
        self.wide = nn.Conv2d(in_width, out_width // 2, KERNELS[1], 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the coarser map."""
        x = self.norm(x)
        return torch.stack([self.near(x), self.wide(x)], dim=2).flatten(1, 2)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells, half, inputs = in_size[0] * in_size[1] // 4, out_width // 2, in_width * in_size[0] * in_size[1]
        weights = [kernel * kernel * in_width * half for kernel in KERNELS]
        convs = [Layer("conv", each * cells, each + half, inputs, half * cells, half * cells) for each in weights]
        return ChannelNorm.layer(in_width, in_size), *convs, Layer("copy", 0, 0, out_width * cells, out_width * cells)


class DynamicBias(nn.Module):
    """The bias (heads, side^2, side^2) of each pair of cells of a group: an MLP of their offset (section 3.3)."""

    def __init__(self, heads: int, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.embed = nn.Linear(2, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.linears = nn.ModuleList(nn.Linear(width, out) for out in (width, width, heads))

    def forward(self) -> Tensor:
        """Return the bias."""
        weight = self.embed.weight
        steps = torch.arange(1 - self.side, self.side, device=weight.device, dtype=weight.dtype)
        x: Tensor = self.embed(torch.cartesian_prod(steps, steps))
        for norm, linear in zip(self.norms, self.linears, strict=True):
            x = linear(nn.functional.relu(norm(x)))
        return x[relative_index(self.side, weight.device)].permute(2, 0, 1)

    @staticmethod
    def layers(heads: int, width: int, side: int, held: int = 0) -> tuple[Layer, ...]:
        """Return what it costs, for one image or for many."""
        rows = (2 * side - 1) ** 2
        found = [linear_layer(2, width, rows, held)]
        for out in (width, width, heads):
            norm, relu = layer_norm_layer(width, rows, held), Layer("activation", 0, 0, rows * width, rows * width)
            found += [norm, relu, linear_layer(width, out, rows, held)]
        return (*found, Layer("copy", 0, 0, rows * heads, heads * side**4, held=held))


class GroupAttention(nn.Module):
    """Self-attention in groups of ``side`` x ``side`` cells, near or far, of a map (N, H, W, C)."""

    def __init__(
        self, width: int, size: Size, heads: int, head_dim: int, bias_width: int, side: int, far: bool
    ) -> None:
        super().__init__()
        self.size, self.side = size, side
        self.split = far_windows if far else near_windows
        self.join = from_far_windows if far else from_near_windows
        self.attention = SelfAttention(width, heads, head_dim)
        self.bias = DynamicBias(heads, bias_width, side)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        return self.join(self.attention(self.split(x, self.side), self.bias()), self.side, self.size)

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads, with what makes their bias."""
        last = len(self.bias.linears) - 1
        return (head_group("attention", *made_by(self, f"bias.linears.{last}")),)

    @staticmethod
    def layers(
        width: int, cells: int, heads: int, head_dim: int, bias_width: int, side: int, held: int = 0
    ) -> tuple[Layer, ...]:
        """Return what one image costs; near and far groups cost the same."""
        tokens = side * side
        return (
            *DynamicBias.layers(heads, bias_width, side, held),
            *SelfAttention.layers(width, heads, head_dim, tokens, cells // tokens, held),
        )


@register_block("crossformer")
class CrossFormer(PreNorm):
    """(N, in_width, H, W) -> (N, out_width, H / stride, W / stride).

    Args:
        in_width, out_width: channels.
        in_size: (height, width) of the map, before merging.
        heads: attention heads of ``head_dim`` channels each.
        mlp_width: hidden channels of the MLP.
        bias_width: hidden channels of the bias' MLP.
        window: side of the groups (the paper's G) in cells; the map's side where that is smaller.
        far: whether groups are of far cells.
        stride: 2 merges cells first; else 1.
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
        bias_width: int,
        window: int = 7,
        far: bool = False,
        stride: int = 1,
    ) -> None:
        size, side = _place(in_width, out_width, in_size, window, stride)
        attention = GroupAttention(out_width, size, heads, head_dim, bias_width, side, far)
        super().__init__(attention, out_width, mlp_width)
        self.merging = CrossScaleMerging(in_width, out_width) if stride > 1 else nn.Identity()

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
        bias_width: int,
        window: int = 7,
        far: bool = False,
        stride: int = 1,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size, side = _place(in_width, out_width, in_size, window, stride)
        cells = size[0] * size[1]
        attention = GroupAttention.layers(out_width, cells, heads, head_dim, bias_width, side, cells * out_width)
        merging = CrossScaleMerging.layers(in_width, out_width, in_size) if stride > 1 else ()
        return *merging, *PreNorm.layers_around(attention, out_width, mlp_width, cells)


def _place(in_width: int, out_width: int, in_size: Size, window: int, stride: int) -> tuple[Size, int]:
    """Return the size of the map after merging and the side of its groups."""
    check_equal_widths("crossformer", in_width, out_width, stride)
    if stride > 1 and out_width % 2:
        raise UsageError(f"a crossformer block of stride 2 got width {out_width}: allowed: even ones")
    size = merged_size("crossformer", in_size, stride)
    return size, clipped_window(window, size)
