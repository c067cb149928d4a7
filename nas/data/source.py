"""What a data source is: a function from settings to labelled images in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.settings import DataSettings
from search_spaces.errors import UsageError
from search_spaces.registry import Registry

NUM_NAMED = 5


@dataclass(frozen=True)
class LabelledImages:
    """Images as a source found them; ``load_data`` checks and converts them.

    Attributes:
        images: (n, height, width) or (n, height, width, channels): integers in 0..255 or floats in 0..1.
        labels: integers (n,), indices of the class names.
        origin: the file, folder or key that they come from, for messages.
        soft_labels: floats (n, num_classes), rows that sum to 1, for the training images among them; see
            ``nas.data.targets``.
        label_maps: numbers (n, 2, k, map height, map width), likewise; not both.
        targets: of a task other than classification, by what they are: ``masks``, ``points``, ``targets``; see
            ``nas.tasks``. Its labels may be empty.
    """

    images: NDArray[Any]
    labels: NDArray[Any]
    origin: str
    soft_labels: NDArray[Any] | None = None
    label_maps: NDArray[Any] | None = None
    targets: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def take(self, indices: NDArray[np.int64]) -> LabelledImages:
        """Return some of the images, with all that belongs to them."""
        soft, maps = (None if each is None else each[indices] for each in (self.soft_labels, self.label_maps))
        targets = {name: each[indices] for name, each in self.targets.items()}
        return LabelledImages(self.images[indices], self.labels[indices], self.origin, soft, maps, targets)


@dataclass(frozen=True)
class SourceData:
    """What a source gives.

    Attributes:
        training: the images that calibration, validation and (without ``test``) test are cut from.
        test: the source's own test set, None where it has none.
        class_names: in the order of the labels; None names the classes 0, 1, ... up to the largest label.
        skipped: the files that were left out because they do not decode.
    """

    training: LabelledImages
    test: LabelledImages | None = None
    class_names: tuple[str, ...] | None = None
    skipped: tuple[str, ...] = ()


Source = Callable[[DataSettings, int], SourceData]
"""Settings and seed to images. The seed is for a source that samples before it decodes."""

SOURCES: Registry[Source] = Registry("data source", "nas.data.sources")


def refuse(settings: DataSettings, names: Iterable[str]) -> None:
    """Raise UsageError when a setting was given that this source does not read."""
    for name in names:
        if getattr(settings, name) != DataSettings.model_fields[name].default:
            given = getattr(settings, name)
            raise UsageError(f"data source {settings.source!r} takes no {name}, given {given!r}: leave it out")


def required_path(settings: DataSettings, holds: str) -> Path:
    """Return ``settings.path``, which must exist.

    Args:
        settings: of the data.
        holds: what the path must hold, for the message.

    Raises:
        UsageError: no path was given, or there is nothing at it.
    """
    if not settings.path:
        raise UsageError(f"data source {settings.source!r} needs a path: set path to {holds}")
    path = Path(settings.path).expanduser()
    if not path.exists():
        raise UsageError(f"data path {settings.path!r} does not exist: set path to {holds}")
    return path


def some(names: Sequence[str]) -> str:
    """Return the first of many names, for a message of one line."""
    rest = f" and {len(names) - NUM_NAMED} more" if len(names) > NUM_NAMED else ""
    return ", ".join(names[:NUM_NAMED]) + rest
