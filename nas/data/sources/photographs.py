"""scikit-learn's two sample photographs, cut into 24 x 32 pieces that share no pixel: for super-resolution."""

from __future__ import annotations

import numpy as np

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse

HEIGHT, WIDTH = 24, 32


@SOURCES.register("photographs")
def photographs(settings: DataSettings, _seed: int) -> SourceData:
    """Return the pieces (n, 24, 32, 3). They have no test set of their own.

    Raises:
        UsageError: a path, size or skip_undecodable was given.
    """
    from sklearn.datasets import load_sample_images

    refuse(settings, ["path", "size", "skip_undecodable"])
    pieces = []
    for photograph in load_sample_images().images:
        rows, columns = photograph.shape[0] // HEIGHT, photograph.shape[1] // WIDTH
        whole = photograph[: rows * HEIGHT, : columns * WIDTH]
        cut = whole.reshape(rows, HEIGHT, columns, WIDTH, 3).swapaxes(1, 2)
        pieces.append(cut.reshape(-1, HEIGHT, WIDTH, 3))
    return SourceData(LabelledImages(np.concatenate(pieces), np.empty(0, dtype=np.int64), "photographs"))
