"""Arrays of one ``.npz`` file. Nothing pickled is read."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse, required_path, some
from search_spaces.errors import StorageError, UsageError

ONE_SET = ("images", "labels")
TWO_SETS = ("x_train", "y_train", "x_test", "y_test")
TARGETS = ("soft_labels_train", "label_maps_train")
OPTIONAL = {"class_names", *TARGETS}
ALLOWED = f"{' and '.join(ONE_SET)}, or {', '.join(TWO_SETS)} (and class_names where there are names)"


@SOURCES.register("npz")
def npz(settings: DataSettings, _seed: int) -> SourceData:
    """Return the arrays of the file ``settings.path``.

    It holds ``images`` (n, height, width[, channels]) and ``labels`` (n,), or ``x_train``, ``y_train``, ``x_test`` and
    ``y_test`` of those shapes; ``class_names`` (num_classes,) is optional. So are other targets than labels, for the
    images that are trained on: ``soft_labels_train`` or ``label_maps_train``, which ``nas.data.targets`` defines, one
    entry for each of ``images`` or ``x_train``.

    Raises:
        UsageError: not an ``.npz`` file, damaged, keys missing, or an array of Python objects.
        StorageError: the file can't be read.
    """
    refuse(settings, ["size", "skip_undecodable"])
    path = required_path(settings, f"an .npz file with the keys {ALLOWED}")
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is not an .npz file: give one with the keys {ALLOWED}")
    arrays = _read(str(path))
    targets = [arrays.get(name) for name in TARGETS]
    names = tuple(map(str, arrays["class_names"])) if "class_names" in arrays else None
    if set(TWO_SETS) <= arrays.keys():
        training = LabelledImages(arrays["x_train"], arrays["y_train"], f"{path} (train)", *targets)
        test = LabelledImages(arrays["x_test"], arrays["y_test"], f"{path} (test)")
        return SourceData(training, test, names)
    return SourceData(LabelledImages(arrays["images"], arrays["labels"], str(path), *targets), class_names=names)


def _read(path: str) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys = set(archive.files)
            wanted = next((names for names in (TWO_SETS, ONE_SET) if keys.issuperset(names)), None)
            if wanted is None:
                raise UsageError(f"{path} holds the keys {some(sorted(keys)) or 'none'}: it needs {ALLOWED}")
            return {key: _array(archive, key, path) for key in (*wanted, *sorted(OPTIONAL & keys))}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UsageError(f"{path} is damaged ({error}): write it again") from None
    except OSError as error:
        raise StorageError(f"{path} can't be read: {error.strerror}") from None


def _array(archive: Any, key: str, path: str) -> NDArray[Any]:
    try:
        return np.asarray(archive[key])
    except ValueError as error:
        raise UsageError(f"{path}: {key} can't be read ({error}): save plain arrays, not Python objects") from None
