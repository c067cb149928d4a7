"""Check the targets that a source gives beside labels: soft labels and label maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.source import LabelledImages
from search_spaces.errors import UsageError

TOLERANCE = 1e-3
Floats = NDArray[np.float32]


def checked_targets(found: LabelledImages, num_classes: int) -> tuple[Floats | None, Floats | None]:
    """Return soft labels and label maps as float32, as ``nas.data.targets`` takes them; None where there are none.

    Raises:
        UsageError: both are given, or one is of another size or holds values that are not allowed.
    """
    if found.soft_labels is not None and found.label_maps is not None:
        raise UsageError(f"{found.origin}: soft_labels and label_maps are both given: keep one of them")
    soft = None if found.soft_labels is None else _soft_labels(found, found.soft_labels, num_classes)
    maps = None if found.label_maps is None else _label_maps(found, found.label_maps, num_classes)
    return soft, maps


def _soft_labels(found: LabelledImages, given: NDArray[Any], num_classes: int) -> Floats:
    shape = (len(found.labels), num_classes)
    if given.shape != shape or given.dtype.kind != "f":
        raise UsageError(
            f"{found.origin}: soft_labels of {given.dtype} {given.shape}: give floats {shape}, a share of each image "
            "for each class"
        )
    sums = given.sum(axis=1, dtype=np.float64)
    # Written so that NaN is wrong too.
    wrong = np.flatnonzero(~((np.abs(sums - 1) <= TOLERANCE) & (given >= 0).all(axis=1)))
    if len(wrong):
        raise UsageError(
            f"{found.origin}: soft_labels of image {wrong[0]} are not shares that sum to 1 (least "
            f"{given[wrong[0]].min():.6g}, sum {sums[wrong[0]]:.6g}; {len(wrong)} such images): give values of 0 or "
            "more, each row divided by its sum"
        )
    shares: Floats = (given / sums[:, None]).astype(np.float32)
    return shares


def _label_maps(found: LabelledImages, given: NDArray[Any], num_classes: int) -> Floats:
    num = len(found.labels)
    if given.ndim != 5 or given.shape[:2] != (num, 2) or 0 in given.shape or given.dtype.kind not in "iuf":
        raise UsageError(
            f"{found.origin}: label_maps of {given.dtype} {given.shape}: give numbers ({num}, 2, k, height, width): "
            "of each image the classes, then the scores, of the k highest in each cell"
        )
    classes, scores = given[:, 0], given[:, 1]
    wrong = ~((classes >= 0) & (classes < num_classes) & (classes == np.floor(classes)) & np.isfinite(scores))
    if wrong.any():
        image = int(np.flatnonzero(wrong.reshape(num, -1).any(axis=1))[0])
        raise UsageError(
            f"{found.origin}: label_maps of image {image} hold a class that is none of 0..{num_classes - 1} or a score "
            "that is not finite: give class indices in [:, 0] and scores in [:, 1]"
        )
    return given.astype(np.float32)
