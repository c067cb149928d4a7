"""Deformable 3x3 convolution with modulation (DCNv2: Zhu et al. 2019, arXiv 1811.11168, equation 1).

y(p) = sum over k of w_k m_k(p) x(p + p_k + o_k(p)), p_k the nine cells around p. The offsets o (rows, columns) and the
strengths m (through a sigmoid) come from a 3x3 convolution of x that starts at zero; between its cells x is bilinear,
outside the map zero.

The nine samples of each cell are laid out as 3x3 cells of a map three times higher and wider, which a convolution of
stride 3 weighs: all that is needed beside convolutions is bilinear sampling at given places, which ONNX has.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.layers import Layer

KERNEL = 3
TAPS = KERNEL * KERNEL


class Places(nn.Conv2d):
    """Row offset, column offset and strength (before its sigmoid) of each tap: (N, C, H, W) -> (N, 3 x 9, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, 3 * TAPS, KERNEL, padding=KERNEL // 2)

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill weight or bias: samples start at the cells, at half strength."""
        tensor.zero_()


class DeformableConv(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H, W), without bias."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.places = Places(in_width)
        self.conv = nn.Conv2d(in_width, out_width, KERNEL, KERNEL, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        rows, columns, strengths = self.places(x).chunk(3, 1)
        out: Tensor = self.conv(sampled(x, rows, columns, strengths.sigmoid()))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells = size[0] * size[1]
        elements, taps = in_width * cells, TAPS * cells
        found, weight = 3 * TAPS, TAPS * in_width * out_width
        params = found * (TAPS * in_width + 1)
        kept = held + elements
        return (
            Layer("conv", found * TAPS * elements, params, elements, found * cells, found * cells, kept),
            Layer("activation", 0, 0, taps, taps, held=kept + 2 * taps),
            Layer("upsample", 0, 0, elements + 2 * taps, TAPS * elements, held=held + taps),
            Layer("scale", 0, 0, TAPS * elements + taps, TAPS * elements, held=held),
            Layer("conv", weight * cells, weight, TAPS * elements, out_width * cells, held=held),
        )


def sampled(x: Tensor, rows: Tensor, columns: Tensor, strengths: Tensor) -> Tensor:
    """Return the samples of every tap at every cell, (N, C, 3 H, 3 W).

    Args:
        x: map (N, C, H, W).
        rows: offset of each tap in cells, (N, 9, H, W), taps row by row.
        columns: the same.
        strengths: what each sample is multiplied by, (N, 9, H, W).
    """
    spread = nn.functional.pixel_shuffle(torch.cat([columns, rows, strengths], 1), KERNEL)
    # Places of half precision would be wrong by whole cells.
    kind = torch.promote_types(spread.dtype, torch.float32)
    ends = [_ends(x.shape[axis], x.device, kind) for axis in (3, 2)]
    column, row = spread[:, 0] + ends[0], spread[:, 1] + ends[1][:, None]
    grid = torch.stack([_normalised(column, x.shape[3]), _normalised(row, x.shape[2])], -1)
    samples = nn.functional.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return samples * spread[:, 2:]


def _ends(side: int, device: torch.device, kind: torch.dtype) -> Tensor:
    """Return where the taps of an axis lie without offsets, -1 0 1 0 1 2 ..., (3 x side,)."""
    number = torch.arange(KERNEL * side, device=device)
    return (number // KERNEL + number % KERNEL - KERNEL // 2).to(kind)


def _normalised(place: Tensor, side: int) -> Tensor:
    """Return a place in cells as the share of the map's side, -1 at its first edge and 1 at its last."""
    return (2 * place + 1) / side - 1
