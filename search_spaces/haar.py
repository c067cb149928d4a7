"""The two-dimensional Haar wavelet transform and its inverse, in sums and differences: no parameters, no products.

Of every 2x2 cells a b / c d: (a + b + c + d) / 2, then differences of rows, of columns and of both (Daubechies 1992,
orthonormal).
"""

from __future__ import annotations

import torch
from torch import Tensor


def dwt(x: Tensor) -> Tensor:
    """Return the bands (N, 4, C, H / 2, W / 2) of a map (N, C, H, W) of even sides: average, rows, columns, both."""
    top, bottom = x[:, :, 0::2], x[:, :, 1::2]
    sums, rows = top + bottom, top - bottom
    left, right = sums[..., 0::2], sums[..., 1::2]
    upper, lower = rows[..., 0::2], rows[..., 1::2]
    return torch.stack([left + right, upper + lower, left - right, upper - lower], 1) / 2


def idwt(bands: Tensor) -> Tensor:
    """Return the map (N, C, 2 H, 2 W) of bands (N, 4, C, H, W): the inverse of ``dwt``."""
    average, rows, columns, both = bands.unbind(1)
    left, right = (average + columns), (average - columns)
    upper, lower = (rows + both), (rows - both)
    top = torch.stack([left + upper, right + lower], -1).flatten(-2)
    bottom = torch.stack([left - upper, right - lower], -1).flatten(-2)
    return torch.stack([top, bottom], 3).flatten(2, 3) / 2
