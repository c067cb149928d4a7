"""Training batches: chosen by the order of their epoch, augmented, prepared for a network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from nas.data.augment import augment
from nas.data.batches import prepare, training_batch_indices
from nas.data.placement import onto
from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits, ImageSet
from nas.data.targets import batch_targets

Size = tuple[int, int]

UNCHANGED = AugmentSettings(max_shift=0, max_rotation_degrees=0, max_scale=0)


def training_batch(
    data: DataSplits, resolution: Size, batch_size: int, augmentation: AugmentSettings, seed: int, index: int
) -> tuple[Tensor, Tensor]:
    """Return images and targets of batch ``index``, counted over all epochs: a pure function of its arguments.

    Args:
        data: the splits; the batch is of the training images, made on their device.
        resolution: height and width that the network takes.
        batch_size: images in the batch.
        augmentation: random changes to each image.
        seed: of the order and of the changes.
        index: of the batch.

    Returns:
        Images, float32 (batch_size, channels, *resolution), and targets: labels, int64 (batch_size,), or soft ones,
        float32 (batch_size, num_classes), where the data has them.

    Raises:
        UsageError: the batch size is larger than the training set.
    """
    chosen = training_batch_indices(len(data.training), batch_size, seed, index)
    batch = Batch(data, data.training, chosen, augmentation, (seed, index))
    return batch.images(resolution), batch.targets


class Batch:
    """Some images of one split, changed at random once, and resized once to each resolution that is asked for.

    Args:
        data: the splits.
        split: one of them.
        indices: of the images in it, int64 (n,), on the CPU.
        augmentation: random changes to each image.
        seeds: of the changes.

    Attributes:
        indices: as given.
        targets: labels, int64 (n,), or soft targets, float32 (n, num_classes), where the split has them.
    """

    def __init__(
        self,
        data: DataSplits,
        split: ImageSet,
        indices: Tensor,
        augmentation: AugmentSettings,
        seeds: tuple[int, ...],
    ) -> None:
        device = split.labels.device
        chosen = onto(indices, device)
        # Images may stay on the host, where all of them are more than the device holds.
        images = onto(split.images[chosen if split.images.device == device else indices], device)
        draws = [torch.Generator(device).manual_seed(mixed_seed(*seeds)) for _ in range(2)]
        self._augmented = augment(images, augmentation, draws[0])
        self._mean, self._std = data.mean, data.std
        self._prepared: dict[Size, Tensor] = {}
        self.indices = indices
        self.targets = batch_targets(split, chosen, data.num_classes, augmentation, draws[1], data.task)

    def images(self, resolution: Size) -> Tensor:
        """Return the images as networks of the data take them, float32 (n, channels, *resolution)."""
        if resolution not in self._prepared:
            self._prepared[resolution] = prepare(self._augmented, resolution, self._mean, self._std)
        return self._prepared[resolution]

    def prepared_by(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return what ``function`` makes of the changed images, float32 (n, channels, height, width) in 0..255."""
        return function(self._augmented)


def mixed_seed(*numbers: int) -> int:
    """Return a seed for a torch generator that is a function of ``numbers``, each 0 or more."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
