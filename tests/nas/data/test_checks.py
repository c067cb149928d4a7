import numpy as np
import pytest

from nas.data.checks import checked_images, checked_labels, require_every_class
from nas.data.source import LabelledImages
from search_spaces.errors import UsageError


def found(images, labels=None):
    images = np.asarray(images)
    return LabelledImages(images, np.zeros(len(images), int) if labels is None else np.asarray(labels), "here")


def test_images_become_uint8_channels_first():
    grey = checked_images(found(np.arange(24, dtype=np.int64).reshape(2, 3, 4)))
    assert (grey.dtype, grey.shape) == (np.uint8, (2, 1, 3, 4))
    assert grey.ravel().tolist() == list(range(24))
    colour = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3), dtype=np.uint8)
    checked = checked_images(found(colour))
    assert np.array_equal(checked, colour.transpose(0, 3, 1, 2))
    assert checked.flags.c_contiguous


def test_floats_of_0_to_1_are_scaled_and_rounded():
    images = np.array([0, 0.5, 0.999, 1]).reshape(1, 2, 2)
    assert checked_images(found(images)).ravel().tolist() == [0, 128, 255, 255]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 4)), r"here: images of shape \(4, 4\): give \(n, height, width\)"),
        (np.zeros((0, 4, 4)), r"images of shape \(0, 4, 4\)"),
        (np.zeros((2, 3, 32, 32), np.uint8), "seem to be channels first"),
        (np.zeros((2, 4, 4), bool), "images of type bool: give uint8, or floats in 0..1"),
        (np.full((2, 4, 4), 255.0), "float64 images reach from 255 to 255: give integers in 0..255 or floats in 0..1"),
        (np.full((2, 4, 4), -1), "int64 images reach from -1 to -1"),
        (np.stack([np.zeros((4, 4)), np.full((4, 4), np.nan)]), "here: 1 of 2 images hold NaN or infinity"),
    ],
)
def test_what_is_no_stack_of_images_is_refused(images, message):
    with pytest.raises(UsageError, match=message):
        checked_images(found(images))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.0, 1.0], "here: labels of type float64: give integers"),
        ([True, False], "labels of type bool: give integers"),
        ([0, 1, 0], r"labels of shape \(3,\) for images of shape \(2, 4, 4\)"),
        ([[0], [1]], r"labels of shape \(2, 1\)"),
        ([1, 3], r"label 3 of image 1 is out of range: allowed 0..2 \(1 such labels\)"),
        ([-1, -1], r"label -1 of image 0 is out of range: allowed 0..2 \(2 such labels\)"),
    ],
)
def test_bad_labels_are_refused(labels, message):
    with pytest.raises(UsageError, match=message):
        checked_labels(found(np.zeros((2, 4, 4)), labels), 3)


def test_labels_become_int64():
    labels = checked_labels(found(np.zeros((2, 4, 4)), np.array([0, 200], np.uint8)), None)
    assert (labels.dtype, labels.tolist()) == (np.int64, [0, 200])


def test_a_class_with_no_image_is_named():
    with pytest.raises(UsageError, match="here: 1 of 3 classes have no image: dog: add images"):
        require_every_class(np.array([0, 2]), ("cat", "dog", "owl"), "here")


def test_a_stray_huge_label_is_answered_at_once():
    with pytest.raises(UsageError, match=r"999999999 of 1000000001 classes have no image: 1, 2, 3, 4, 5, \.\.\.: "):
        require_every_class(np.array([0, 10**9]), range(10**9 + 1), "here")


def test_one_class_is_too_few():
    with pytest.raises(UsageError, match="here: 1 class: a classifier needs images of at least 2 classes"):
        require_every_class(np.array([0, 0]), ("cat",), "here")
