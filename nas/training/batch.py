"""One training batch: chosen by the order of its epoch, augmented, prepared for a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nas.data.augment import augment
from nas.data.batches import prepare, training_batch_indices
from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits


def training_batch(
    data: DataSplits, resolution: tuple[int, int], batch_size: int, augmentation: AugmentSettings, seed: int, index: int
) -> tuple[Tensor, Tensor]:
    """Return images and labels of batch ``index``, counted over all epochs: a pure function of its arguments.

    Args:
        data: the splits; the batch is of the training images, made on their device.
        resolution: height and width that the network takes.
        batch_size: images in the batch.
        augmentation: random changes to each image.
        seed: of the order and of the changes.
        index: of the batch.

    Returns:
        Images, float32 (batch_size, channels, *resolution), and labels, int64 (batch_size,).

    Raises:
        UsageError: the batch size is larger than the training set.
    """
    training, device = data.training, data.training.images.device
    chosen = training_batch_indices(len(training), batch_size, seed, index).to(device)
    generator = torch.Generator(device).manual_seed(mixed_seed(seed, index))
    images = augment(training.images[chosen], augmentation, generator)
    return prepare(images, resolution, data.mean, data.std), training.labels[chosen]


def mixed_seed(*numbers: int) -> int:
    """Return a seed for a torch generator that is a function of ``numbers``, each 0 or more."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
