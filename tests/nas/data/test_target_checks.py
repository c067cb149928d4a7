from __future__ import annotations

import numpy as np
import pytest

from nas.data.source import LabelledImages
from nas.data.target_checks import checked_targets
from search_spaces.errors import UsageError

IMAGES, LABELS = np.zeros((6, 4, 4), dtype=np.uint8), np.arange(6) % 3
SOFT = np.full((6, 3), 1 / 3)
MAPS = np.stack([np.arange(6 * 2 * 2 * 3).reshape(6, 2, 2, 3) % 3, np.ones((6, 2, 2, 3))], axis=1)


def found(soft=None, maps=None) -> LabelledImages:
    return LabelledImages(IMAGES, LABELS, "data.npz", soft, maps)


def changed(array: np.ndarray, place: object, value: float) -> np.ndarray:
    array = array.astype(np.float64)
    array[place] = value
    return array


def test_soft_labels_come_out_summing_to_one() -> None:
    soft, maps = checked_targets(found(soft=SOFT * 1.0005), 3)
    assert maps is None
    assert soft.dtype == np.float32
    assert np.allclose(soft.sum(axis=1), 1, atol=1e-6)


def test_label_maps_are_taken_as_they_are() -> None:
    soft, maps = checked_targets(found(maps=MAPS), 3)
    assert soft is None
    assert maps.dtype == np.float32
    assert np.array_equal(maps, MAPS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (SOFT[:5], r"data.npz: soft_labels of float64 \(5, 3\): give floats \(6, 3\), a share of each image"),
        (SOFT[:, :2], r"soft_labels of float64 \(6, 2\): give floats \(6, 3\)"),
        (np.eye(3, dtype=int)[LABELS], r"soft_labels of int64 \(6, 3\): give floats"),
        (changed(SOFT, (4, 1), 0.5), r"soft_labels of image 4 are not shares that sum to 1 \(.* sum 1.16667; 1 such"),
        (changed(SOFT, (2, 0), np.nan), r"soft_labels of image 2 .* \(least nan, sum nan; 1 such images\)"),
        (
            changed(SOFT, 3, (-0.5, 1, 0.5)),
            r"soft_labels of image 3 .* \(least -0.5, sum 1; 1 such images\): give values",
        ),
    ],
)
def test_soft_labels_that_are_none_are_refused(given, message) -> None:
    with pytest.raises(UsageError, match=message):
        checked_targets(found(soft=given), 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (MAPS[:, 0], r"label_maps of float64 \(6, 2, 2, 3\): give numbers \(6, 2, k, height, width\)"),
        (MAPS[:4], r"label_maps of float64 \(4, 2, 2, 2, 3\): give numbers \(6, 2, k"),
        (changed(MAPS, (1, 0, 0, 0, 0), 3), r"label_maps of image 1 hold a class that is none of 0\.\.2"),
        (changed(MAPS, (5, 0, 0, 0, 0), 0.5), r"label_maps of image 5 hold a class"),
        (changed(MAPS, (2, 1, 0, 1, 0), np.inf), r"label_maps of image 2 .* or a score that is not finite"),
    ],
)
def test_label_maps_that_are_none_are_refused(given, message) -> None:
    with pytest.raises(UsageError, match=message):
        checked_targets(found(maps=given), 3)


def test_one_kind_of_target_is_given() -> None:
    with pytest.raises(UsageError, match=r"data.npz: soft_labels and label_maps are both given: keep one of them"):
        checked_targets(found(SOFT, MAPS), 3)
