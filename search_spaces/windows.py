"""Windows of a map: groups of tokens that attend to each other alone, near ones or every n-th one, and their bias."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.layout import centre, declare, product


def near_windows(x: Tensor, side: int) -> Tensor:
    """Return the tokens (N x windows, side^2, C) of adjacent windows of ``x`` (N, H, W, C)."""
    num, height, width, channels = x.shape
    x = x.view(num, height // side, side, width // side, side, channels)
    return x.transpose(2, 3).reshape(-1, side * side, channels)


def from_near_windows(tokens: Tensor, side: int, size: Size) -> Tensor:
    """Return the map (N, H, W, C) of ``near_windows``."""
    rows, columns = size[0] // side, size[1] // side
    x = tokens.view(-1, rows, columns, side, side, tokens.shape[-1])
    return x.transpose(2, 3).reshape(-1, *size, tokens.shape[-1])


def far_windows(x: Tensor, side: int) -> Tensor:
    """Return the tokens (N x windows, side^2, C) of windows that take every (H / side)-th row, likewise columns."""
    num, height, width, channels = x.shape
    x = x.view(num, side, height // side, side, width // side, channels)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(-1, side * side, channels)


def from_far_windows(tokens: Tensor, side: int, size: Size) -> Tensor:
    """Return the map (N, H, W, C) of ``far_windows``."""
    rows, columns = size[0] // side, size[1] // side
    x = tokens.view(-1, rows, columns, side, side, tokens.shape[-1])
    return x.permute(0, 3, 1, 4, 2, 5).reshape(-1, *size, tokens.shape[-1])


def relative_index(side: int, device: torch.device) -> Tensor:
    """Return the entry (side^2, side^2) of each pair of tokens in a table of (2 side - 1)^2 offsets, rows slowest."""
    cells = torch.arange(side * side, device=device)
    rows, columns = cells // side, cells % side
    down, right = rows[:, None] - rows[None], columns[:, None] - columns[None]
    return (down + side - 1) * (2 * side - 1) + right + side - 1


def shift_mask(size: Size, side: int, shift: int, device: torch.device) -> Tensor:
    """Return which pairs (windows, side^2, side^2) of a map rolled by ``shift`` were not neighbours before it."""

    def regions(length: int) -> Tensor:
        place = torch.arange(length, device=device)
        return (place >= length - side).long() + (place >= length - shift).long()

    region = 3 * regions(size[0])[:, None] + regions(size[1])[None]
    region = near_windows(region[None, :, :, None], side)[..., 0]
    return region[:, None] != region[:, :, None]


class RelativeBias(nn.Module):
    """A learned number for each head and each offset of two tokens of a window (Swin, Liu et al. 2021, eq. 4).

    A smaller window's table is the centre of a larger one's.
    """

    def __init__(self, heads: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.table = nn.Parameter(torch.empty((2 * side - 1) ** 2, heads))
        declare(self.table, product(centre(2 * side - 1), centre(2 * side - 1)), heads)

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill the table: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self) -> Tensor:
        """Return the bias (heads, side^2, side^2)."""
        return self.table[relative_index(self.side, self.table.device)].permute(2, 0, 1)
