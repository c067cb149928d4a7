"""Turn what a source found into uint8 images and int64 labels, or say in one line why that can't be done."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.source import NUM_NAMED, LabelledImages
from search_spaces.errors import UsageError

MOST_CHANNELS_OF_CHANNELS_FIRST = 4


def checked_images(found: LabelledImages) -> NDArray[np.uint8]:
    """Return the images as uint8 (n, channels, height, width), C-contiguous.

    Raises:
        UsageError: not a stack of images, channels first, or values outside 0..255 (integers) or 0..1 (floats).
    """
    images = found.images
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise UsageError(
            f"{found.origin}: images of shape {images.shape}: give (n, height, width) or (n, height, width, channels), "
            "none of them 0"
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.shape[1] <= MOST_CHANNELS_OF_CHANNELS_FIRST < images.shape[3]:
        raise UsageError(
            f"{found.origin}: images of shape {images.shape} seem to be channels first: "
            "transpose them to (n, height, width, channels)"
        )
    return np.ascontiguousarray(_as_uint8(images, found.origin).transpose(0, 3, 1, 2))


def _as_uint8(images: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return images
    kind = images.dtype.kind
    if kind not in "iuf":
        raise UsageError(f"{origin}: images of type {images.dtype}: give uint8, or floats in 0..1")
    if kind == "f" and not np.isfinite(images).all():
        count = int((~np.isfinite(images)).reshape(len(images), -1).any(axis=1).sum())
        raise UsageError(f"{origin}: {count} of {len(images)} images hold NaN or infinity: give finite values in 0..1")
    highest = 1 if kind == "f" else 255
    if images.min() < 0 or images.max() > highest:
        raise UsageError(
            f"{origin}: {images.dtype} images reach from {images.min():.4g} to {images.max():.4g}: "
            "give integers in 0..255 or floats in 0..1"
        )
    return (np.rint(images * 255) if kind == "f" else images).astype(np.uint8)


def checked_labels(found: LabelledImages, num_classes: int | None) -> NDArray[np.int64]:
    """Return the labels as int64 (n,).

    Args:
        found: images with their labels.
        num_classes: labels must be below it; None allows any of 0 or more.

    Raises:
        UsageError: not one integer an image, or out of range.
    """
    labels = found.labels
    if labels.dtype.kind not in "iu":
        raise UsageError(f"{found.origin}: labels of type {labels.dtype}: give integers, the index of the class")
    if labels.ndim != 1 or labels.shape != found.images.shape[:1]:
        raise UsageError(
            f"{found.origin}: labels of shape {labels.shape} for images of shape {found.images.shape}: "
            "give one integer an image, (n,)"
        )
    outside = (labels < 0) | (labels >= (num_classes or np.inf))
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        allowed = f"0..{num_classes - 1}" if num_classes else "0, 1, 2, ..."
        raise UsageError(
            f"{found.origin}: label {labels[first]} of image {first} is out of range: "
            f"allowed {allowed} ({int(outside.sum())} such labels)"
        )
    return labels.astype(np.int64)


def require_every_class(labels: NDArray[np.int64], class_names: Sequence[str] | range, origin: str) -> None:
    """Raise UsageError when there are fewer than two classes, or a class has no image.

    Args:
        labels: (n,), each an index of ``class_names``.
        class_names: of all classes; a ``range`` stands for unnamed ones.
        origin: where the labels come from.
    """
    num_classes = len(class_names)
    if num_classes < 2:
        raise UsageError(f"{origin}: {num_classes} class: a classifier needs images of at least 2 classes")
    present = set(np.unique(labels).tolist())
    if len(present) == num_classes:
        return
    missing = (str(class_names[label]) for label in range(num_classes) if label not in present)
    num_missing = num_classes - len(present)
    names = ", ".join(islice(missing, NUM_NAMED)) + (", ..." if num_missing > NUM_NAMED else "")
    raise UsageError(
        f"{origin}: {num_missing} of {num_classes} classes have no image: {names}: "
        "add images of them, or take them out of the classes"
    )
