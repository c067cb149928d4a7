"""Tasks: what the outputs of a network mean. One file each: targets, head, alignment of outputs with them, metric.

No module here imports torch when it is loaded: the names and metrics of all tasks are read with a configuration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nas.training.part_settings import PartSettings, read_settings
from search_spaces.blueprint import Setting
from search_spaces.errors import UsageError
from search_spaces.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from nas.data.settings import AugmentSettings
    from nas.data.source import LabelledImages
    from nas.data.splits import DataSplits, ImageSet

NUM_RESAMPLES = 200


@dataclass(frozen=True)
class Metric:
    """The number that a task is judged by.

    Attributes:
        name: of the objective; a unit that is no share is part of it (``miou``, ``psnr_db``).
        title: for people.
        direction: whether less or more is better.
        unit: of values.
        best: the value of outputs that could not be better.
    """

    name: str
    title: str
    direction: Literal["min", "max"]
    unit: str
    best: float

    @property
    def column(self) -> str:
        """The name with the unit in it, for tables."""
        return f"{self.name}_percent" if self.unit == "%" else self.name

    def text(self, value: float) -> str:
        """Return ``value`` as a person reads it."""
        return f"{value:.2f} {self.unit}"

    def rank(self, value: float) -> float:
        """Return a number that is larger for a better value."""
        return value if self.direction == "max" else -value


class Task(ABC):
    """What a network is trained to do. Subclasses give the class variables and the methods below.

    Attributes:
        name: in the registry.
        metric: what networks are judged by.
        output: what a network gives, in one word; names the output of an ONNX file.
        does: completes "A network that ...".
        loss: the loss on the targets where the training names none.
        needs_labels: whether images have classes, of each of which every split holds some.
        exact_size: whether images must reach networks at the size that they have.
    """

    name: ClassVar[str]
    metric: ClassVar[Metric]
    output: ClassVar[str]
    does: ClassVar[str]
    loss: ClassVar[str]
    needs_labels: ClassVar[bool] = False
    exact_size: ClassVar[bool] = False
    Settings: ClassVar[type[PartSettings]] = PartSettings

    def __init__(self, **settings: object) -> None:
        self.settings: Any = read_settings(f"task {self.name!r}", self.Settings, settings)

    def head(self) -> Mapping[str, Setting] | None:
        """Return kind and settings of the head; None: the space's own."""
        return None

    def check_augmentation(self, settings: AugmentSettings) -> None:  # noqa: B027 - most targets follow any change.
        """Raise UsageError where images may be changed in a way that their targets can't follow."""

    def prepared(self, found: LabelledImages) -> LabelledImages:
        """Return images and targets as they are kept, checked.

        Raises:
            UsageError: targets are missing, or of another kind, size or range; the message says which.
        """
        return found

    def class_names(self, found: LabelledImages, names: tuple[str, ...] | None) -> tuple[str, ...]:  # noqa: ARG002
        """Return the names of the classes of prepared data; () where there are none."""
        return ()

    @abstractmethod
    def num_outputs(self, data: DataSplits) -> int:
        """Return the width of the head."""

    def changed(self, targets: Tensor, shown: Tensor, padding: str) -> Tensor:  # noqa: ARG002
        """Return the targets (n, ...) of images that are shown in part.

        Args:
            targets: of the whole images.
            shown: affine maps, as ``nas.data.augment.crops`` gives them.
            padding: what is outside, ``zeros`` or ``reflection``.
        """
        return targets

    def aligned(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and targets of one size, as losses take them."""
        return outputs, targets

    def matched(self, teacher: Tensor, outputs: Tensor) -> Tensor:  # noqa: ARG002
        """Return a teacher's outputs at the size of aligned ``outputs``."""
        return teacher

    @abstractmethod
    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return what the metric needs of each image of a batch, (n, ...); outputs and targets are not aligned yet."""

    @abstractmethod
    def value(self, rows: Tensor) -> float:
        """Return the metric of images by their rows."""

    def spread(self, rows: Tensor) -> float:
        """Return the standard deviation of the metric over random draws of as many images (bootstrap, Efron 1979)."""
        import torch

        chosen = np.random.default_rng(0).integers(0, len(rows), size=(NUM_RESAMPLES, len(rows)))
        return float(np.std([self.value(rows[torch.from_numpy(draw).to(rows.device)]) for draw in chosen]))

    @abstractmethod
    def guess(self, images: ImageSet) -> Tensor:
        """Return the rows of the best answer that looks at no image: the same for all."""

    def identity(self) -> dict[str, Any]:
        """Return name and settings as plain JSON data."""
        return {"name": self.name, "settings": self.settings.model_dump(mode="json")}


class ShareTask(Task):
    """A task whose metric is the share of images that are answered right; the rows are bool (n,)."""

    def value(self, rows: Tensor) -> float:
        """Return the share in percent."""
        return 100.0 * int(rows.sum()) / len(rows)

    def spread(self, rows: Tensor) -> float:
        """Return the standard error of a share of so many images, in percent."""
        percent = self.value(rows)
        return float(np.sqrt(max(percent * (100.0 - percent), 1e-9) / len(rows)))


tasks: Registry[type[Task]] = Registry("task", "nas.tasks")


def make_task(name: str, settings: Mapping[str, object] | None = None) -> Task:
    """Return the task called ``name``.

    Raises:
        UsageError: unknown task or setting, or a value that is not allowed.
    """
    return tasks.get(name)(**(settings or {}))


def metrics() -> dict[str, Metric]:
    """Return the metric of every task by its name."""
    found = [tasks.get(name).metric for name in tasks.names()]
    return {metric.name: metric for metric in found}


def required_targets(found: LabelledImages, task: str, *kinds: str) -> tuple[str, NDArray[Any]]:
    """Return kind and array of the targets that are given, one of ``kinds``.

    Raises:
        UsageError: there is none.
    """
    for kind in kinds:
        if kind in found.targets:
            return kind, found.targets[kind]
    given = ", ".join(found.targets) or "none"
    raise UsageError(f"{found.origin}: task {task!r} needs {' or '.join(kinds)} beside the images: given: {given}")
