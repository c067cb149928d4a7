"""MAXIM's multi-axis gated MLP and cross-gating (Tu et al. 2022, arXiv 2201.02973, figures 2 and 3).

Multi-axis: of gelu(W x) one half of the channels is gated on a grid of g x g cells that lie H / g rows apart (global),
the other within blocks of b x b neighbours (local); together they are mixed. A gate is u * (V norm(v) + 1), (u, v) =
gelu(W' norm(x)), V a linear map of the g^2 (b^2) positions: linear in the number of cells.

Cross-gating: two maps x and y, each gated by weights from the other (the ``cross_gating`` block):
y' = y + W_y (y1 * g(x1)), x' = x + y' + W_x (x1 * g(y1)), x1 = gelu(W_1 norm(x)), likewise y1, g a multi-axis gate.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare, product
from search_spaces.maps import check_equal_widths
from search_spaces.tokens import add_layer, layer_norm_layer, linear_layer
from search_spaces.window_sizes import clipped_window
from search_spaces.windows import far_windows, from_far_windows, from_near_windows, near_windows

Maps = tuple[Tensor, Tensor]


class AxisMix(nn.Module):
    """A linear map of the positions within windows, near or far, of a map (N, H, W, C).

    That of a smaller window is the centre of a larger one's.
    """

    def __init__(self, size: Size, side: int, far: bool) -> None:
        super().__init__()
        self.size, self.side = size, side
        self.split, self.join = (far_windows, from_far_windows) if far else (near_windows, from_near_windows)
        self.positions = nn.Linear(side * side, side * side)
        cells = product(centre(side), centre(side))
        declare(self.positions.weight, cells, cells)
        declare(self.positions.bias, cells)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        windows = self.split(x, self.side).transpose(1, 2).contiguous()
        mixed = self.positions(windows).transpose(1, 2)
        return self.join(mixed.contiguous(), self.side, self.size)

    @staticmethod
    def layers(width: int, size: Size, side: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        positions = side * side
        return (linear_layer(positions, positions, width * size[0] * size[1] // positions, held),)


class GatedMlp(nn.Module):
    """x + W_2 (u * (V norm(v) + 1)), (u, v) = gelu(W_1 norm(x)), on maps (N, H, W, C)."""

    def __init__(self, width: int, size: Size, side: int, far: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        declare(self.expand.weight, product(2, width), width)
        declare(self.expand.bias, product(2, width))
        self.gate_norm = nn.LayerNorm(width)
        self.gate = AxisMix(size, side, far)
        self.reduce = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated map."""
        u, v = nn.functional.gelu(self.expand(self.norm(x))).chunk(2, -1)
        gated: Tensor = self.reduce(u * (self.gate(self.gate_norm(v)) + 1))
        return x + gated

    @staticmethod
    def layers(width: int, size: Size, side: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells = size[0] * size[1]
        elements, kept = width * cells, held + width * cells
        return (
            layer_norm_layer(width, cells, kept),
            linear_layer(width, 2 * width, cells, kept),
            Layer("activation", 0, 0, 2 * elements, 2 * elements, held=kept),
            layer_norm_layer(width, cells, kept + elements),
            *AxisMix.layers(width, size, side, kept + elements),
            Layer("scale", 0, 0, 2 * elements, elements, held=kept),
            linear_layer(width, width, cells, kept),
            add_layer(elements),
        )


class MultiAxisMlp(nn.Module):
    """W_2 [grid(u), block(v)], (u, v) = gelu(W_1 x), on maps (N, H, W, C)."""

    def __init__(self, width: int, size: Size, window: int) -> None:
        super().__init__()
        side = clipped_window(window, size)
        self.expand = nn.Linear(width, 2 * width)
        declare(self.expand.weight, product(2, width), width)
        declare(self.expand.bias, product(2, width))
        self.grid = GatedMlp(width, size, side, far=True)
        self.block = GatedMlp(width, size, side, far=False)
        self.reduce = nn.Linear(2 * width, width)
        declare(self.reduce.weight, width, product(2, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map, without a residual."""
        u, v = nn.functional.gelu(self.expand(x)).chunk(2, -1)
        mixed: Tensor = self.reduce(torch.cat([self.grid(u), self.block(v)], -1))
        return mixed

    @staticmethod
    def layers(width: int, size: Size, window: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells, side = size[0] * size[1], clipped_window(window, size)
        elements = width * cells
        return (
            linear_layer(width, 2 * width, cells, held),
            Layer("activation", 0, 0, 2 * elements, 2 * elements, held=held),
            *(2 * GatedMlp.layers(width, size, side, held + elements)),
            Layer("copy", 0, 0, 2 * elements, 2 * elements, held=held),
            linear_layer(2 * width, width, cells, held),
        )


class MultiAxisGate(nn.Module):
    """The weights that one map gives another: [grid, block] positions of gelu(W_1 norm(x)), mixed; (N, H, W, C)."""

    def __init__(self, width: int, size: Size, window: int) -> None:
        super().__init__()
        side = clipped_window(window, size)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        declare(self.expand.weight, product(2, width), width)
        declare(self.expand.bias, product(2, width))
        self.grid = AxisMix(size, side, far=True)
        self.block = AxisMix(size, side, far=False)
        self.reduce = nn.Linear(2 * width, width)
        declare(self.reduce.weight, width, product(2, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the weights."""
        u, v = nn.functional.gelu(self.expand(self.norm(x))).chunk(2, -1)
        weights: Tensor = self.reduce(torch.cat([self.grid(u), self.block(v)], -1))
        return weights

    @staticmethod
    def layers(width: int, size: Size, window: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells, side = size[0] * size[1], clipped_window(window, size)
        elements = width * cells
        return (
            layer_norm_layer(width, cells, held),
            linear_layer(width, 2 * width, cells, held),
            Layer("activation", 0, 0, 2 * elements, 2 * elements, held=held),
            *(2 * AxisMix.layers(width, size, side, held + elements)),
            Layer("copy", 0, 0, 2 * elements, 2 * elements, held=held),
            linear_layer(2 * width, width, cells, held),
        )


class GatedBranch(nn.Module):
    """One of the two maps: what is gated, the gate that it gives the other, and the way back."""

    def __init__(self, width: int, size: Size, window: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, width)
        self.gate = MultiAxisGate(width, size, window)
        self.leave = nn.Linear(width, width)

    def features(self, x: Tensor) -> Tensor:
        """Return gelu(W norm(x)) of a map (N, H, W, C)."""
        return nn.functional.gelu(self.enter(self.norm(x)))


@register_block("cross_gating")
class CrossGating(nn.Module):
    """Two maps (N, width, H, W), in and out; the ``window`` is the side of grid and blocks."""

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, window: int = 8) -> None:
        super().__init__()
        check_equal_widths("cross_gating", in_width, out_width, 1)
        self.x = GatedBranch(out_width, in_size, window)
        self.y = GatedBranch(out_width, in_size, window)

    def forward(self, maps: Maps) -> Maps:
        """Return both maps, gated by each other."""
        x, y = (each.permute(0, 2, 3, 1) for each in maps)
        of_x, of_y = self.x.features(x), self.y.features(y)
        y = y + self.y.leave(of_y * self.x.gate(of_x))
        x = x + y + self.x.leave(of_x * self.y.gate(of_y))
        return x.permute(0, 3, 1, 2), y.permute(0, 3, 1, 2)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, window: int = 8) -> tuple[Layer, ...]:
        """Return what one pair of maps costs."""
        check_equal_widths("cross_gating", in_width, out_width, 1)
        cells = in_size[0] * in_size[1]
        elements = out_width * cells
        held = 3 * elements
        branch = (
            layer_norm_layer(out_width, cells, held),
            linear_layer(out_width, out_width, cells, held),
            Layer("activation", 0, 0, elements, elements, held=held),
            *MultiAxisGate.layers(out_width, in_size, window, held),
            Layer("scale", 0, 0, 2 * elements, elements, held=held),
            linear_layer(out_width, out_width, cells, held),
            add_layer(elements),
        )
        return *branch, *branch, add_layer(elements)
