"""Which images are in which batch, and how a batch is made ready for a network."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nas.data.streams import ORDER, stream
from search_spaces.errors import UsageError


@lru_cache(maxsize=4)
def _order(num: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return stream(seed, ORDER, epoch).permutation(num)


def epoch_order(num: int, seed: int, epoch: int) -> Tensor:
    """Return the order of ``num`` images in one epoch, int64 (num,): a pure function of its arguments."""
    return torch.from_numpy(_order(num, seed, epoch).copy())


def training_batch_indices(num: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Return the images of the batch of a global step, int64 (batch_size,), so that training resumes anywhere.

    An epoch has ``num // batch_size`` steps; what is left over waits for the next order.

    Args:
        num: training images.
        batch_size: images a step.
        seed: of the order.
        step: counted from 0 over all epochs.

    Raises:
        UsageError: the batch size is not in 1..num.
    """
    if not 1 <= batch_size <= num:
        raise UsageError(f"batch size {batch_size} for {num} training images: give 1..{num}")
    epoch, number = divmod(step, num // batch_size)
    start = number * batch_size
    return torch.from_numpy(_order(num, seed, epoch)[start : start + batch_size].copy())


def prepare(images: Tensor, resolution: tuple[int, int], mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Normalise images and resize them once, bilinearly (antialiased where they shrink), if their size differs.

    Args:
        images: uint8, or float in 0..255 as ``augment`` gives them, (n, channels, height, width).
        resolution: height and width to return.
        mean: of each channel, in 0..1.
        std: of each channel, in 0..1.

    Returns:
        float32 (n, channels, *resolution) in channels_last memory format, on the device of ``images``.
    """
    centre, scale = _constants(mean, std, images.device)
    ready = (images.float() - centre) * scale
    height, width = images.shape[2:]
    if (height, width) == resolution:
        return _channels_last(ready)
    shrinks = resolution[0] < height or resolution[1] < width
    resized = F.interpolate(ready, size=resolution, mode="bilinear", antialias=shrinks)
    return _channels_last(resized)


def _channels_last(images: Tensor) -> Tensor:
    """Return ``images`` with the strides of channels_last, also where one channel makes both formats the same memory.

    Convolutions take their format from the strides of their input: with those of the other format, every layer after a
    single-channel image runs in it, and a training step takes 1.6 times as long.
    """
    channels, height, width = images.shape[1:]
    if channels == 1:
        return images.contiguous().as_strided(images.shape, (height * width, 1, width, 1))
    return images.contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=16)
def _constants(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return 255 mean and 1 / (255 std), each (1, channels, 1, 1): kept, as a copy to a GPU waits for it."""
    # A cached tensor made inside inference_mode could not be used in training.
    with torch.inference_mode(False):
        centre = 255 * torch.tensor(mean, dtype=torch.float64)
        scale = 1 / (255 * torch.tensor(std, dtype=torch.float64))
        return centre.float().view(1, -1, 1, 1).to(device), scale.float().view(1, -1, 1, 1).to(device)
