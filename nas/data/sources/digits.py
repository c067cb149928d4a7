"""scikit-learn's digits: 1,797 greyscale images of 8 x 8 in ten classes, part of the package."""

from __future__ import annotations

import numpy as np

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse

LARGEST_VALUE = 16


@SOURCES.register("digits")
def digits(settings: DataSettings, _seed: int) -> SourceData:
    """Return the digits, their values 0..16 scaled to 0..255. They have no test set of their own.

    Raises:
        UsageError: a path, size or skip_undecodable was given.
    """
    from sklearn.datasets import load_digits

    refuse(settings, ["path", "size", "skip_undecodable"])
    bunch = load_digits()
    images = np.rint(bunch.images * (255 / LARGEST_VALUE)).astype(np.uint8)
    return SourceData(
        training=LabelledImages(images, bunch.target, "digits"),
        class_names=tuple(str(digit) for digit in range(10)),
    )
