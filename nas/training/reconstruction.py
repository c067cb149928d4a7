"""The light decoder of masked pre-training and its loss (SparK: Tian et al. 2023, arXiv 2301.03580, 3.3 and 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.training.sparse import Masks, sparse_norm

EPS = 1e-6


class Decoder(nn.Module):
    """From sparse maps of several resolutions to pixels: coarse to fine, each finer map added on the way.

    Networks of one space differ in width: projections are shared by prefix, as the networks are; one for c channels
    uses its leading c columns.

    Args:
        widths: stride of a map to the channels of its widest network.
        channels: of the image.
        width: channels of the decoder.
    """

    def __init__(self, widths: Mapping[int, int], channels: int, width: int) -> None:
        super().__init__()
        self._channels = channels
        named = {str(stride): widest for stride, widest in widths.items()}
        self.projections = nn.ModuleDict({name: nn.Linear(widest, width) for name, widest in named.items()})
        self.mask_tokens = nn.ParameterDict({name: nn.Parameter(0.02 * torch.randn(width)) for name in named})
        self.mixers = nn.ModuleDict({name: _mixer(width) for name in named})
        self.pixels = nn.ModuleDict({name: nn.Conv2d(width, channels * int(name) ** 2, 1) for name in named})

    def forward(self, maps: Mapping[int, Tensor], masks: Masks, resolution: tuple[int, int]) -> Tensor:
        """Return images (n, channels, *resolution) from the maps of ``sparse.encode`` by stride."""
        x: Tensor | None = None
        for stride in sorted(maps, reverse=True):
            name, dense = str(stride), self._dense(stride, maps[stride], masks)
            if x is not None:
                dense = dense + F.interpolate(x, size=dense.shape[2:], mode="nearest")
            x = self.mixers[name](dense)
        assert x is not None
        pixels = F.pixel_shuffle(self.pixels[str(min(maps))](x), min(maps))
        return pixels[:, :, : resolution[0], : resolution[1]]

    def _dense(self, stride: int, sparse: Tensor, masks: Masks) -> Tensor:
        """Return the projected map with a learned token at masked positions."""
        name = str(stride)
        mask = masks[sparse.shape[2], sparse.shape[3]]
        projection = cast(nn.Linear, self.projections[name])
        weight = projection.weight[:, : sparse.shape[1], None, None]
        projected = F.conv2d(sparse_norm(sparse, mask, EPS), weight, projection.bias)
        dense: Tensor = projected * mask + self.mask_tokens[name].view(1, -1, 1, 1) * (1 - mask)
        return dense


def _mixer(width: int) -> nn.Module:
    norm = nn.BatchNorm2d(width, track_running_stats=False)
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), norm, nn.ReLU())


def reconstruction_loss(reconstructed: Tensor, images: Tensor, visible: Tensor, stride: int) -> Tensor:
    """Return the mean squared error over masked cells, each cell's pixels normalised to mean 0 and variance 1.

    Args:
        reconstructed: (n, channels, height, width), in normalised values.
        images: (n, channels, height, width).
        visible: bool (n, 1, rows, columns), cells.
        stride: side of a cell, in pixels; cells at the far edges may be smaller.
    """
    mean = _cell_means(images, stride)
    centred = images - _at_pixels(mean, images, stride)
    deviation = (_cell_means(centred.square(), stride) + EPS).sqrt()
    target = centred / _at_pixels(deviation, images, stride)
    errors = _cell_means((reconstructed.float() - target).square(), stride)
    hidden = (~visible).float()
    return (errors * hidden).sum() / hidden.sum()


def _cell_means(images: Tensor, stride: int) -> Tensor:
    """Return the mean over channels and pixels of each cell, (n, 1, rows, columns)."""
    return F.avg_pool2d(images.mean(dim=1, keepdim=True), stride, ceil_mode=True)


def _at_pixels(cells: Tensor, images: Tensor, stride: int) -> Tensor:
    height, width = images.shape[2:]
    return cells.repeat_interleave(stride, 2).repeat_interleave(stride, 3)[:, :, :height, :width]
