"""Which training images are in which batch: whole epochs, or epochs that leave images out (SeTa)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nas.data.batches import training_batch_indices
from nas.training.seta import PruningSettings, images_of_epoch, initial_losses
from nas.training.settings import TrainingSettings


class Order(Protocol):
    """The order of the training images.

    Attributes:
        num_batches: of all epochs.
        records: whether the order depends on the losses of single images.
    """

    num_batches: int
    records: bool

    def batch(self, index: int) -> Tensor:
        """Return the images of batch ``index``, counted over all epochs, int64 (batch_size,), on the CPU."""
        ...

    def record(self, sums: Tensor, counts: Tensor) -> None:
        """Take note of a step's losses: of each training image their sum and number, (num_images,)."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return what the order depends on beside the seed."""
        ...

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over the ``state`` of another order of the same images and settings."""
        ...


def make_order(num_images: int, settings: TrainingSettings, seed: int, device: torch.device) -> Order:
    """Return the order that the settings ask for; losses of images are kept on ``device``."""
    if settings.pruning is None:
        return WholeEpochs(num_images, settings, seed)
    return PrunedEpochs(num_images, settings, settings.pruning, seed, device)


class WholeEpochs:
    """Every epoch sees every image once, but for those that are too few for a last batch."""

    records = False

    def __init__(self, num_images: int, settings: TrainingSettings, seed: int) -> None:
        self._num_images, self._batch_size, self._seed = num_images, settings.batch_size, seed
        self.num_batches = settings.epochs * (num_images // settings.batch_size)

    def batch(self, index: int) -> Tensor:
        """Return the images of batch ``index``."""
        return training_batch_indices(self._num_images, self._batch_size, self._seed, index)

    def record(self, sums: Tensor, counts: Tensor) -> None:
        """Nothing: no order depends on losses."""

    def state(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over nothing."""


class PrunedEpochs:
    """Epochs that leave images out, by their losses at the epoch's begin.

    So that the number of steps is known beforehand, an epoch has as many batches as its expected share of the images
    fills; its images, in random order, are cut short or begin again where there are more or fewer.
    """

    records = True

    def __init__(
        self, num_images: int, settings: TrainingSettings, pruning: PruningSettings, seed: int, device: torch.device
    ) -> None:
        self._settings, self._pruning, self._seed = settings, pruning, seed
        self._losses = torch.from_numpy(initial_losses(num_images)).to(device)
        self._epoch, self._images = -1, torch.zeros(0, dtype=torch.int64)
        sizes = [_expected_share(epoch, settings.epochs, pruning) * num_images for epoch in range(settings.epochs)]
        batches = [max(1, int(size) // settings.batch_size) for size in sizes]
        self._ends = np.cumsum(batches)
        self.num_batches = int(self._ends[-1])

    def batch(self, index: int) -> Tensor:
        """Return the images of batch ``index``, which is not of an epoch before that of an earlier call."""
        epoch = int(np.searchsorted(self._ends[:-1], index, side="right"))
        if epoch != self._epoch:
            losses = self._losses.cpu().numpy()
            images = images_of_epoch(self._seed, epoch, self._settings.epochs, losses, self._pruning)
            self._epoch, self._images = epoch, torch.from_numpy(images)
        start = index - (int(self._ends[epoch - 1]) if epoch else 0)
        places = torch.arange(start * self._settings.batch_size, (start + 1) * self._settings.batch_size)
        return self._images[places % len(self._images)]

    def record(self, sums: Tensor, counts: Tensor) -> None:
        """Keep the mean loss of each image that the step saw; one that is not finite is left to the guards."""
        mean = sums / counts
        self._losses = torch.where(mean.isfinite(), mean, self._losses)

    def state(self) -> dict[str, Tensor]:
        """Return the losses, and the images of the current epoch, which began with earlier ones."""
        return {"losses": self._losses, "epoch": torch.tensor(self._epoch), "images": self._images}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over the ``state`` of another order of the same images and settings."""
        self._losses = state["losses"].clone().to(self._losses.device)
        self._epoch, self._images = int(state["epoch"]), state["images"].clone().cpu()


def _expected_share(epoch: int, num_epochs: int, pruning: PruningSettings) -> float:
    """Return the share of the images that an epoch sees, where groups are of equal size."""
    kept = 1 - pruning.prune_ratio
    whole = epoch == 0 or epoch >= pruning.delta * num_epochs
    return kept if whole else kept * max(1, round(pruning.window * pruning.num_groups)) / pruning.num_groups
