"""Random changes to a batch of images: on its device, for all images at once, without waiting for the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from nas.data.settings import AugmentSettings


def augment(images: Tensor, settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Shift, rotate, scale and mirror each image at random in one bilinear resampling, then cut a hole.

    Call it before ``prepare``: there a padding of zeros is black. Without rotation and scale the shift is in whole
    pixels, so that nothing is blurred.

    Args:
        images: uint8 or float (n, channels, height, width).
        settings: how far each change may go.
        generator: on the device of ``images``; the same state gives the same images.

    Returns:
        float32 of the same shape and range of values.
    """
    height, width = images.shape[2:]
    draws = _draws(len(images), generator)
    changed = images.float()
    if moves(settings):
        grid = F.affine_grid(_affine(draws[:5], settings, height, width), list(images.shape), align_corners=False)
        mode = padding_mode(settings)
        changed = F.grid_sample(changed, grid, mode="bilinear", padding_mode=mode, align_corners=False)
    if settings.cutout:
        changed = _cut_holes(changed, draws[5:], settings.cutout)
    return changed


def moves(settings: AugmentSettings) -> bool:
    """Return whether any pixel changes its place."""
    return bool(settings.max_shift or settings.max_rotation_degrees or settings.max_scale or settings.horizontal_flip)


def padding_mode(settings: AugmentSettings) -> str:
    """Return what moves in from outside, as ``grid_sample`` calls it."""
    return "zeros" if settings.padding == "zeros" else "reflection"


def crops(num: int, size: tuple[int, int], settings: AugmentSettings, generator: torch.Generator) -> Tensor:
    """Return which part of each image ``augment`` shows, given a generator in the same state.

    Args:
        num: images.
        size: their height and width.
        settings: how far each change may go.
        generator: on the device of the images.

    Returns:
        Affine maps from output to input coordinates (x, y, each -1..1), float32 (num, 2, 3).
    """
    return _affine(_draws(num, generator)[:5], settings, *size)


def _draws(num: int, generator: torch.Generator) -> Tensor:
    # All at once, and the same number for any settings: one launch, and a switch moves no other draw.
    return torch.rand(7, num, generator=generator, device=generator.device)


def _affine(draws: Tensor, settings: AugmentSettings, height: int, width: int) -> Tensor:
    """Return the map from output to input coordinates (both -1..1) of each image, (n, 2, 3), from draws (5, n)."""
    even = 2 * draws - 1
    angle = even[0] * math.radians(settings.max_rotation_degrees)
    scale = torch.exp(even[1] * math.log1p(settings.max_scale))
    shift_x, shift_y = even[2] * settings.max_shift, even[3] * settings.max_shift
    if not settings.max_rotation_degrees and not settings.max_scale:
        shift_x, shift_y = (shift_x * width).round() / width, (shift_y * height).round() / height
    mirror = torch.where(draws[4] < 0.5, -1.0, 1.0) if settings.horizontal_flip else torch.ones_like(scale)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # Coordinates are relative to each side; the ratio keeps a rotation of a wide image a rotation.
    row_x = torch.stack([mirror * cos, -mirror * sin * (height / width), 2 * shift_x], dim=1)
    row_y = torch.stack([sin * (width / height), cos, 2 * shift_y], dim=1)
    return torch.stack([row_x, row_y], dim=1)


def _cut_holes(images: Tensor, draws: Tensor, side: float) -> Tensor:
    """Fill a square around a random centre (draws (2, n)) of each image with the image's mean."""
    height, width = images.shape[2:]
    inside_y = _within(draws[0], height, side)
    inside_x = _within(draws[1], width, side)
    hole = (inside_y[:, :, None] & inside_x[:, None, :]).unsqueeze(1)
    return torch.where(hole, images.mean(dim=(2, 3), keepdim=True), images)


def _within(centre: Tensor, size: int, side: float) -> Tensor:
    """Return which of ``size`` pixel centres lie within half a side of each centre (n,), bool (n, size)."""
    positions = (torch.arange(size, device=centre.device) + 0.5) / size
    return (positions - centre[:, None]).abs() < side / 2
