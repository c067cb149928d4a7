"""Which images each network of a step sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits
from nas.training.batch import UNCHANGED, Batch
from nas.training.order import make_order
from nas.training.plan import batches_of, check_parts, num_groups
from nas.training.settings import TrainingSettings

FEW = 8


class StepBatches:
    """The batches of every step: pure functions of the seed, the step and the part of it.

    Args:
        data: the splits.
        settings: of the training; the sampler says whether networks share a batch.
        augmentation: random changes to each training image.
        seed: of the order of the images and of the changes.

    Attributes:
        order: which training images are in which batch.
        num_groups: equal groups that a batch is cut in, one a network; 1 where networks have whole batches.

    Raises:
        UsageError: a batch can't be cut in as many parts as the settings ask for.
    """

    def __init__(self, data: DataSplits, settings: TrainingSettings, augmentation: AugmentSettings, seed: int) -> None:
        self._data, self._settings, self._augmentation, self._seed = data, settings, augmentation, seed
        self.order = make_order(len(data.training), settings, seed, data.training.labels.device)
        check_parts(settings)
        self._shared, self.num_groups = batches_of(settings), num_groups(settings)
        self._num_parts = settings.gradient_shards * self.num_groups

    def of(self, step: int, shard: int) -> Callable[[int], Batch]:
        """Return the function from a network's number to its images of ``shard``: one object where networks share."""
        made: dict[tuple[int, int], Batch] = {}

        def batch_of(number: int) -> Batch:
            index = self._index(step) + (number if self._shared == "own" else 0)
            part = shard * self.num_groups + (number if self._shared == "split" else 0)
            if (index, part) not in made:
                made[index, part] = self._part(index, part, self._num_parts)
            return made[index, part]

        return batch_of

    def whole(self, step: int) -> Batch:
        """Return the whole batch of the first network of ``step``."""
        return self._part(self._index(step), 0, 1)

    def held_out(self, step: int) -> Batch:
        """Return calibration images, unchanged: neither trained on nor seen by search."""
        calibration = self._data.calibration
        chosen = np.random.default_rng([self._seed, step]).permutation(len(calibration))[: self._settings.batch_size]
        return Batch(self._data, calibration, torch.from_numpy(chosen), UNCHANGED, (self._seed, step))

    def few(self) -> Batch:
        """Return the first few training images."""
        first = torch.arange(min(len(self._data.training), self._settings.batch_size, FEW))
        return Batch(self._data, self._data.training, first, self._augmentation, (self._seed,))

    def _index(self, step: int) -> int:
        """Return the number, over all epochs, of the batch of the first network of ``step``."""
        return step * self._settings.networks_per_step if self._shared == "own" else step

    def _part(self, index: int, part: int, num_parts: int) -> Batch:
        mine = self.order.batch(index).view(num_parts, -1)[part]
        return Batch(self._data, self._data.training, mine, self._augmentation, (self._seed, index, part))
