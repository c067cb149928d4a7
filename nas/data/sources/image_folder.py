"""A folder of image files: one folder a class, or ``train`` and ``val`` that each hold one folder a class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.data.decode import decode
from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, required_path, some
from nas.data.stratify import sample
from nas.data.streams import SAMPLE, stream
from search_spaces.errors import StorageError, UsageError

SUFFIXES = frozenset([".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"])
HELD_OUT = ("val", "test")
HOLDS = "a folder with one folder of images a class, or with train and val that each hold those"


@dataclass(frozen=True)
class _Files:
    """The image files of one set, with their labels (n,)."""

    paths: list[Path]
    labels: NDArray[np.int64]


@SOURCES.register("image_folder")
def image_folder(settings: DataSettings, seed: int) -> SourceData:
    """Return the decoded files below ``settings.path``; the folders of the classes, sorted, name them.

    ``val`` (or ``test``) beside ``train`` is the test set. Greyscale where every file is, otherwise RGB; pixels as they
    are stored (no rotation by EXIF). ``max_images`` samples before anything is decoded.

    Raises:
        UsageError: the folder is missing or empty, a class has no image, files do not decode, or they differ in size
            and ``size`` is not set.
        StorageError: a folder can't be listed.
    """
    root = required_path(settings, HOLDS)
    training_folder, test_folder = _sets(root)
    class_names = _class_names(training_folder)
    folders = [training_folder] if test_folder is None else [training_folder, test_folder]
    files = [_listed(folder, class_names, settings.max_images, seed) for folder in folders]
    decoded = decode([path for one in files for path in one.paths], root, settings.size, settings.skip_undecodable)
    labels = np.concatenate([one.labels for one in files])[decoded.kept]
    set_of = np.repeat(np.arange(len(files)), [len(one.paths) for one in files])[decoded.kept]
    sets = [
        LabelledImages(decoded.images[set_of == number], labels[set_of == number], str(folder))
        for number, folder in enumerate(folders)
    ]
    return SourceData(sets[0], sets[1] if test_folder else None, class_names, decoded.skipped)


def _sets(root: Path) -> tuple[Path, Path | None]:
    """Return the folders of the training and of the test images, the latter None when the seed is to split."""
    names = _class_names(root)
    if "train" not in names:
        return root, None
    held_out = [name for name in HELD_OUT if name in names]
    if len(held_out) != 1:
        raise UsageError(
            f"data folder {str(root)!r} holds train and {' and '.join(held_out) or 'neither val nor test'}: keep "
            "exactly one of val and test beside train, or set path to train alone to split it by seed"
        )
    return root / "train", root / held_out[0]


def _class_names(folder: Path) -> tuple[str, ...]:
    names = tuple(path.name for path in _folders(folder))
    if not names:
        raise UsageError(f"data folder {str(folder)!r} holds no folder: give {HOLDS}")
    return names


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except NotADirectoryError:
        raise UsageError(f"data path {str(root)!r} is a file: give {HOLDS}") from None
    except OSError as error:
        raise StorageError(f"data folder {str(root)!r} can't be listed: {error.strerror}") from None


def _listed(folder: Path, class_names: tuple[str, ...], max_images: int | None, seed: int) -> _Files:
    strange = sorted({path.name for path in _folders(folder)} - set(class_names))
    if strange:
        raise UsageError(f"{folder}: class {some(strange)} is not in train: train has {some(class_names)}")
    by_class = [_images_below(folder / name) for name in class_names]
    empty = [name for name, paths in zip(class_names, by_class, strict=True) if not paths]
    if empty:
        raise UsageError(
            f"{folder}: {len(empty)} of {len(class_names)} classes have no image: {some(empty)}: add images "
            f"({', '.join(sorted(SUFFIXES))}) or remove the folder"
        )
    paths = [path for paths in by_class for path in paths]
    labels = np.repeat(np.arange(len(class_names)), [len(paths) for paths in by_class])
    if max_images is not None and max_images < len(paths):
        kept = sample(labels, max_images, str(folder), stream(seed, SAMPLE))
        return _Files([paths[index] for index in kept], labels[kept])
    return _Files(paths, labels)


def _images_below(folder: Path) -> list[Path]:
    # A link to nowhere is listed, so that it is named as a file that does not decode.
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir()
    )
