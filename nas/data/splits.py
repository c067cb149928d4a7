"""The four-way split: training, calibration, validation and test, cut once by seed and held as uint8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.data.checks import checked_images, checked_labels, require_every_class
from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData
from nas.data.stratify import cut, sample
from nas.data.streams import SAMPLE, SPLIT, stream
from nas.data.target_checks import checked_targets
from nas.tasks import Task
from nas.tasks.classification import Classification
from search_spaces.errors import UsageError

UNLABELLED = ("images",)
"""The one class of images that have none."""
SHARE_OF_DEVICE = 0.5
"""Of a device's memory, what training images may take: weights, activations and the other splits need the rest."""


@dataclass(frozen=True)
class ImageSet:
    """Images with their labels, on one device; images of more than it holds stay on the host.

    Attributes:
        images: uint8 (n, channels, height, width), contiguous.
        labels: int64 (n,).
        soft_labels: float32 (n, num_classes), rows that sum to 1, where the source gives them for training.
        label_maps: float32 (n, 2, k, map height, map width), likewise; see ``nas.data.targets``.
        targets: (n, ...) as the task keeps them, where they are not the labels.
    """

    images: Tensor
    labels: Tensor
    soft_labels: Tensor | None = None
    label_maps: Tensor | None = None
    targets: Tensor | None = None

    @property
    def truth(self) -> Tensor:
        """What outputs are held against: the targets, or the labels."""
        return self.labels if self.targets is None else self.targets

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> ImageSet:
        """Return the set on ``device``."""
        return replace(self.targets_to(device), images=self.images.to(device))

    def targets_to(self, device: torch.device | str) -> ImageSet:
        """Return the set with all but the images on ``device``."""
        given = (self.soft_labels, self.label_maps, self.targets)
        return ImageSet(self.images, self.labels.to(device), *(None if t is None else t.to(device) for t in given))


@dataclass(frozen=True)
class DataSplits:
    """The data of one study. The four sets are disjoint and each holds every class that images have.

    Attributes:
        training: what the weights learn from.
        calibration: for BatchNorm statistics and quantisation.
        validation: what search sees.
        test: seen by reports alone, never by a choice.
        class_names: in the order of the labels.
        mean: of the training images, one a channel, in 0..1.
        std: likewise; 1 for a channel that is constant.
        skipped: the image files that were left out because they do not decode.
        keep_on_device: whether ``to`` moves the training images; ``auto``: where they take at most half of its memory.
        task: what the targets mean.
    """

    training: ImageSet
    calibration: ImageSet
    validation: ImageSet
    test: ImageSet
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    skipped: tuple[str, ...] = ()
    keep_on_device: Literal["auto"] | bool = "auto"
    task: Task = field(default_factory=Classification)

    @property
    def in_channels(self) -> int:
        """The number of channels of an image."""
        return int(self.training.images.shape[1])

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @property
    def num_outputs(self) -> int:
        """The width of a head."""
        return self.task.num_outputs(self)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        height, width = self.training.images.shape[2:]
        return int(height), int(width)

    def to(self, device: torch.device | str) -> DataSplits:
        """Return the splits with all four sets on ``device``, or all but the training images."""
        return replace(
            self,
            training=self.training.to(device) if self._keeps(device) else self.training.targets_to(device),
            calibration=self.calibration.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
        )

    def _keeps(self, device: torch.device | str) -> bool:
        """Return whether the training images go to ``device``."""
        if torch.device(device).type == "cpu":
            return True
        if self.keep_on_device != "auto":
            return self.keep_on_device
        memory_bytes = device_memory_bytes(device)
        return memory_bytes is None or self.training.images.nbytes <= SHARE_OF_DEVICE * memory_bytes


def device_memory_bytes(device: torch.device | str) -> int | None:
    """Return the memory of a GPU, None for another device."""
    if torch.device(device).type != "cuda":
        return None
    return int(torch.cuda.get_device_properties(device).total_memory)


@dataclass(frozen=True)
class _Checked:
    """Images (n, channels, height, width) uint8, labels (n,) int64 that hold every class, and targets, in numpy."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origin: str
    soft_labels: NDArray[np.float32] | None
    label_maps: NDArray[np.float32] | None
    targets: NDArray[Any] | None

    def take(self, indices: NDArray[np.int64]) -> ImageSet:
        targets = None if self.targets is None else torch.from_numpy(self.targets[indices])
        return ImageSet(torch.from_numpy(self.images[indices]), torch.from_numpy(self.labels[indices]), targets=targets)

    def take_training(self, indices: NDArray[np.int64]) -> ImageSet:
        """Return the images to train on, with their targets."""
        soft, maps = (
            None if each is None else torch.from_numpy(each[indices]) for each in (self.soft_labels, self.label_maps)
        )
        return replace(self.take(indices), soft_labels=soft, label_maps=maps)


def load_data(settings: DataSettings, seed: int, task: Task | None = None) -> DataSplits:
    """Read the source and split it; the same settings and seed give the same splits.

    The test set is the source's own where it has one, otherwise it is cut from the images by seed. Calibration and
    validation are cut from what remains. Every cut is stratified: each class keeps its share, and at least one image.

    Args:
        settings: of the data.
        seed: of the splits and of the sample that ``max_images`` keeps.
        task: what the targets mean; classification where it is left out.

    Returns:
        The four splits on the CPU.

    Raises:
        UsageError: the data or the settings can't be used; the message names what and where.
    """
    task = task or Classification()
    data = SOURCES.get(settings.source)(settings, seed)
    training, class_names = _checked(data.training, data.class_names, task, settings.max_images, seed)
    own_test = None
    if data.test is not None:
        own_test, _ = _checked(data.test, class_names, task, settings.max_images, seed)
        _require_one_shape(training, own_test)
    parts = _cut_sizes(settings, len(training.labels), own_test is not None)
    strata = class_names if task.needs_labels else UNLABELLED
    indices = cut(training.labels, strata, parts, training.origin, stream(seed, SPLIT))
    splits = _assembled(training, own_test, indices, class_names, data)
    return replace(splits, keep_on_device=settings.keep_on_device, task=task)


def _checked(
    found: LabelledImages, class_names: tuple[str, ...] | None, task: Task, max_images: int | None, seed: int
) -> tuple[_Checked, tuple[str, ...]]:
    found = task.prepared(_labelled(found, class_names) if task.needs_labels else _unlabelled(found))
    names = task.class_names(found, class_names)
    if max_images is not None and max_images < len(found.labels):
        found = found.take(sample(found.labels, max_images, found.origin, stream(seed, SAMPLE)))
    targets = next(iter(found.targets.values()), None)
    given = (found.labels, found.origin, found.soft_labels, found.label_maps, targets)
    return _Checked(checked_images(found), *given), names


def _labelled(found: LabelledImages, class_names: tuple[str, ...] | None) -> LabelledImages:
    labels = checked_labels(found, len(class_names) if class_names is not None else None)
    every_class = class_names if class_names is not None else range(int(labels.max(initial=-1)) + 1)
    require_every_class(labels, every_class, found.origin)
    soft, maps = checked_targets(found, len(every_class))
    return replace(found, labels=labels, soft_labels=soft, label_maps=maps, targets={})


def _unlabelled(found: LabelledImages) -> LabelledImages:
    if found.images.ndim not in (3, 4):
        checked_images(found)
    return replace(found, labels=np.zeros(len(found.images), dtype=np.int64), soft_labels=None, label_maps=None)


def _require_one_shape(training: _Checked, test: _Checked) -> None:
    if training.images.shape[1:] != test.images.shape[1:]:
        raise UsageError(
            f"{test.origin}: test images of (channels, height, width) {test.images.shape[1:]}, "
            f"training images of {training.images.shape[1:]}: give both one shape"
        )


def _cut_sizes(settings: DataSettings, num_images: int, has_test: bool) -> dict[str, int]:
    sizes = {
        "test": round(settings.test_fraction * num_images),
        "validation": round(settings.validation_fraction * num_images),
        "calibration": settings.calibration_images,
    }
    if has_test:
        del sizes["test"]
    return sizes


def _assembled(
    training: _Checked,
    own_test: _Checked | None,
    indices: dict[str, NDArray[np.int64]],
    class_names: tuple[str, ...],
    data: SourceData,
) -> DataSplits:
    mean, std = channel_statistics(training.images, indices["training"])
    return DataSplits(
        training=training.take_training(indices["training"]),
        calibration=training.take(indices["calibration"]),
        validation=training.take(indices["validation"]),
        test=training.take(indices["test"]) if own_test is None else own_test.take(np.arange(len(own_test.labels))),
        class_names=class_names,
        mean=mean,
        std=std,
        skipped=data.skipped,
    )


def channel_statistics(
    images: NDArray[np.uint8], indices: Sequence[int] | NDArray[np.int64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel over some images, in 0..1; a std of 0 is given as 1.

    The sums are of integers and exact, so that no number of threads changes a last bit.

    Args:
        images: (n, channels, height, width).
        indices: of the images that count.
    """
    num_channels = images.shape[1]
    sums, squares = [0] * num_channels, [0] * num_channels
    for start in range(0, len(indices), 1024):
        chunk = images[indices[start : start + 1024]]
        for channel in range(num_channels):
            values = chunk[:, channel].ravel().astype(np.float64)  # Exact: no sum reaches 2**53.
            sums[channel] += int(values.sum())
            squares[channel] += int(values @ values)
    count = len(indices) * images.shape[2] * images.shape[3]
    mean = tuple(total / count / 255 for total in sums)
    variances = [(count * square - total**2) / count**2 for total, square in zip(sums, squares, strict=True)]
    return mean, tuple(math.sqrt(variance) / 255 if variance else 1.0 for variance in variances)
