"""Scales of the input, S2: the module that runs one network on the tiles of larger images (Shi et al. 2024)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaling.scaled import ScaledBlueprint, head_alone
from search_spaces.building import build


def split(x: Tensor, number: int) -> Tensor:
    """Return the tiles (number^2 N, C, H / number, W / number) of images (N, C, H, W), tile by tile, rows slowest."""
    rows = torch.cat(x.chunk(number, dim=2))
    return torch.cat([tile for row in rows.chunk(number) for tile in row.chunk(number, dim=3)])


def merge(tiles: Tensor, number: int) -> Tensor:
    """Return the maps (N, C, number H, number W) of which ``tiles`` are ``split``'s."""
    parts = tiles.chunk(number * number)
    rows = [torch.cat(parts[first : first + number], dim=3) for first in range(0, len(parts), number)]
    return torch.cat(rows, dim=2)


class MultiScale(nn.Module):
    """Images (N, C, H, W) at several scales -> (N, num_classes): one body for all scales, a head for their channels.

    Tokens are a grid with or without class tokens before it, whose number is what the grid leaves; the class tokens of
    the tiles are averaged.
    """

    def __init__(self, scaled: ScaledBlueprint, seed: int = 0) -> None:
        super().__init__()
        self.scales, self.side = scaled.scales, scaled.blueprint.resolution[0]
        self.grid = list(scaled.blueprint.placed())[-1].in_size
        self.body = build(scaled.blueprint, seed=seed)
        self.wide = build(head_alone(scaled.blueprint, len(scaled.scales)), seed=seed)
        del self.body.head

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the head on the features of all scales."""
        features = [self._at(x, scale) for scale in self.scales]
        out: Tensor = self.wide(torch.cat(features, dim=1 if features[0].dim() == 4 else 2))
        return out

    def _at(self, x: Tensor, scale: int) -> Tensor:
        """Return the features at one scale, on the grid of scale 1."""
        if scale > 1:
            side = scale * self.side
            x = split(nn.functional.interpolate(x, (side, side), mode="bicubic", align_corners=False), scale)
        found = self.body.features(x)
        if scale == 1:
            return found
        if found.dim() == 4:
            return nn.functional.adaptive_avg_pool2d(merge(found, scale), (found.shape[2], found.shape[3]))
        return self._pooled_tokens(found, scale)

    def _pooled_tokens(self, tokens: Tensor, scale: int) -> Tensor:
        """Return the tokens (N, T, C) of one image from those of its tiles (scale^2 N, T, C)."""
        first = tokens.shape[1] - self.grid[0] * self.grid[1]
        grid = tokens[:, first:].transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], *self.grid)
        pooled = nn.functional.adaptive_avg_pool2d(merge(grid, scale), self.grid).flatten(2).transpose(1, 2)
        prefix = torch.stack(tokens[:, :first].chunk(scale * scale)).mean(0)
        return torch.cat([prefix, pooled], dim=1)
