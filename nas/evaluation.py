"""Evaluation of networks inside the shared weights: BatchNorm recalibration, then held-out images.

Images are loaded to the device once; each network passes over the prepared batches. Everything is a pure function of
weights and images, so that an evaluation repeated gives the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from nas.data.batches import prepare
from nas.data.splits import DataSplits, ImageSet
from nas.quantisation.simulate import simulated
from nas.tasks import Task
from search_spaces.blueprint import Blueprint
from search_spaces.precision import is_quantised
from search_spaces.sharing import SharedWeights

BATCH_SIZE = 256
CACHE_BYTES = 256 * 2**20


class Batches:
    """The images of one set, prepared for a resolution, in batches; kept while they are few."""

    def __init__(self, images: ImageSet, data: DataSplits) -> None:
        self.images, self._mean, self._std = images, data.mean, data.std
        self._kept: dict[tuple[int, int], list[Tensor]] = {}

    def at(self, resolution: tuple[int, int]) -> list[Tensor]:
        """Return the batches (n, channels, height, width), float32, channels last; their sizes differ by 1 at most.

        So each image counts (nearly) the same in averages over batches.
        """
        if resolution in self._kept:
            return self._kept[resolution]
        chunks = self.images.images.tensor_split(-(-len(self.images) // BATCH_SIZE))
        prepared = [prepare(chunk, resolution, self._mean, self._std) for chunk in chunks]
        held = sum(t.numel() for batches in self._kept.values() for t in batches)
        if 4 * (held + sum(t.numel() for t in prepared)) <= CACHE_BYTES:
            self._kept[resolution] = prepared
        return prepared


class Evaluator:
    """Evaluates networks of ``shared`` with the tensors given (the moving average) on one set of images.

    Args:
        shared: the shared weights.
        tensors: tensors by name; the moving average of training.
        data: the splits; BatchNorm statistics come from its calibration images.
        images: the split to evaluate on (``data.validation`` in search, ``data.test`` in reports alone).
    """

    def __init__(
        self, shared: SharedWeights, tensors: Mapping[str, Tensor], data: DataSplits, images: ImageSet
    ) -> None:
        self._shared, self._tensors = shared, tensors
        self._calibration, self._batches = Batches(data.calibration, data), Batches(images, data)
        self._images, self._task = images, data.task

    @torch.inference_mode()
    def statistics(self, blueprint: Blueprint) -> dict[str, Tensor]:
        """Return the BatchNorm statistics of one network: cumulative averages over the calibration images."""
        statistics = self._shared.new_statistics(blueprint, self._images.labels.device)
        if statistics:
            for batch in self._calibration.at(blueprint.resolution):
                self._shared.run(blueprint, batch, "calibrate", tensors=self._tensors, statistics=statistics)
        return statistics

    @torch.inference_mode()
    def rows(self, blueprint: Blueprint, statistics: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return what the metric of the task needs of each image, (n, ...); in classification which are right.

        A quantised network is simulated.
        """
        if statistics is None:
            statistics = self.statistics(blueprint)
        if is_quantised(blueprint):
            plain = self._shared.extract(blueprint, self._tensors, statistics)
            network = simulated(plain, blueprint, self._calibration.at(blueprint.resolution))
            return module_rows(network, self._batches, blueprint.resolution, self._task)
        outputs = (
            self._shared.run(blueprint, batch, "evaluate", tensors=self._tensors, statistics=statistics)
            for batch in self._batches.at(blueprint.resolution)
        )
        return rows_of(self._task, outputs, self._images)

    def score(self, blueprint: Blueprint) -> float:
        """Return the metric of the task."""
        return self._task.value(self.rows(blueprint))

    def score_and_spread(self, blueprint: Blueprint) -> tuple[float, float]:
        """Return the metric of the task and its standard deviation over draws of as many images."""
        rows = self.rows(blueprint)
        return self._task.value(rows), self._task.spread(rows)


def rows_of(task: Task, outputs: Iterable[Tensor], images: ImageSet) -> Tensor:
    """Return the rows of all images from the outputs of the batches that ``Batches`` makes of them, in order."""
    found, start = [], 0
    for batch in outputs:
        found.append(task.rows(batch, images.truth[start : start + len(batch)]))
        start += len(batch)
    return torch.cat(found)


@torch.inference_mode()
def module_rows(module: nn.Module, batches: Batches, resolution: tuple[int, int], task: Task) -> Tensor:
    """Return the rows of the images of ``batches`` for a plain module in evaluation mode."""
    return rows_of(task, (module(batch) for batch in batches.at(resolution)), batches.images)
