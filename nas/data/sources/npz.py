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
OF_TASKS = ("masks", "points", "targets")
OPTIONAL = {"class_names", *TARGETS, *OF_TASKS}
ALLOWED = f"{' and '.join(ONE_SET)}, or {', '.join(TWO_SETS)} (and class_names where there are names)"
UNLABELLED = {name + suffix for name in ("images", *OF_TASKS) for suffix in ("", "_test")}
ALSO = f"images alone or with one of {', '.join(OF_TASKS)}, for tasks other than classification"


@SOURCES.register("npz")
def npz(settings: DataSettings, _seed: int) -> SourceData:
    """Return the arrays of the file ``settings.path``.

    It holds ``images`` (n, height, width[, channels]) and ``labels`` (n,), or ``x_train``, ``y_train``, ``x_test`` and
    ``y_test`` of those shapes; ``class_names`` (num_classes,) is optional. So are other targets than labels, for the
    images that are trained on: ``soft_labels_train`` or ``label_maps_train``, which ``nas.data.targets`` defines, one
    entry for each of ``images`` or ``x_train``.

    For tasks other than classification it holds ``images``, and one of ``masks``, ``points`` and ``targets`` instead of
    labels (``nas.tasks`` says which, of what shape), each of them as ``images_test`` and so on where there is a test
    set.

    Raises:
        UsageError: not an ``.npz`` file, damaged, keys missing, or an array of Python objects.
        StorageError: the file can't be read.
    """
    refuse(settings, ["size", "skip_undecodable"])
    path = required_path(settings, f"an .npz file with the keys {ALLOWED}")
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is not an .npz file: give one with the keys {ALLOWED}")
    arrays = _read(str(path))
    if "labels" not in arrays and "y_train" not in arrays:
        return _of_task(arrays, str(path))
    soft, maps = (arrays.get(name) for name in TARGETS)
    names = tuple(map(str, arrays["class_names"])) if "class_names" in arrays else None
    if set(TWO_SETS) <= arrays.keys():
        training = LabelledImages(arrays["x_train"], arrays["y_train"], f"{path} (train)", soft, maps)
        test = LabelledImages(arrays["x_test"], arrays["y_test"], f"{path} (test)")
        return SourceData(training, test, names)
    of_task = {name: arrays[name] for name in OF_TASKS if name in arrays}
    images = LabelledImages(arrays["images"], arrays["labels"], str(path), soft, maps, of_task)
    return SourceData(images, class_names=names)


def _of_task(arrays: dict[str, NDArray[Any]], path: str) -> SourceData:
    """Return images without labels, with their targets."""
    names = tuple(map(str, arrays["class_names"])) if "class_names" in arrays else None

    def some_images(suffix: str, origin: str) -> LabelledImages:
        images = arrays[f"images{suffix}"]
        targets = {name: arrays[name + suffix] for name in OF_TASKS if name + suffix in arrays}
        for name, each in targets.items():
            if len(each) != len(images):
                raise UsageError(f"{origin}: {len(each)} {name} for {len(images)} images: give one for each")
        return LabelledImages(images, np.empty(0, dtype=np.int64), origin, targets=targets)

    test = some_images("_test", f"{path} (test)") if "images_test" in arrays else None
    return SourceData(some_images("", path), test, names)


def _read(path: str) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys = set(archive.files)
            wanted = next((names for names in (TWO_SETS, ONE_SET) if keys.issuperset(names)), None)
            if wanted is None and "images" in keys and keys <= {*UNLABELLED, "class_names"}:
                wanted = tuple(sorted(keys & UNLABELLED))
            if wanted is None:
                raise UsageError(f"{path} holds the keys {some(sorted(keys)) or 'none'}: it needs {ALLOWED}; {ALSO}")
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
