"""Images made by rule, for counting: none to 20 bright blobs of several sizes on an uneven ground; 32 x 48, grey."""

from __future__ import annotations

import numpy as np

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse

NUM_IMAGES = 1600
HEIGHT, WIDTH = 32, 48
MOST_BLOBS = 20
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH] + 0.5


@SOURCES.register("blobs")
def blobs(settings: DataSettings, seed: int) -> SourceData:
    """Return the images (n, 32, 48) with the places of their blobs. They have no test set of their own.

    Raises:
        UsageError: a path, size or skip_undecodable was given.
    """
    refuse(settings, ["path", "size", "skip_undecodable"])
    rng = np.random.default_rng([seed, NUM_IMAGES])
    images = np.empty((NUM_IMAGES, HEIGHT, WIDTH), dtype=np.uint8)
    points = np.full((NUM_IMAGES, MOST_BLOBS, 2), np.nan)
    for image, places in zip(images, points, strict=True):
        num = int(rng.integers(0, MOST_BLOBS + 1))
        places[:num] = rng.uniform((2, 2), (HEIGHT - 2, WIDTH - 2), size=(num, 2))
        slope = rng.uniform(-1, 1, size=2)
        painted = 60 + 25 * (slope[0] * (ROWS / HEIGHT - 0.5) + slope[1] * (COLUMNS / WIDTH - 0.5))
        for row, column in places[:num]:
            width, height = rng.uniform(0.9, 2.2, size=2)
            away = ((COLUMNS - column) / width) ** 2 + ((ROWS - row) / height) ** 2
            painted += rng.uniform(60, 140) * np.exp(-0.5 * away)
        image[:] = np.clip(np.rint(painted + rng.normal(0, 8, size=painted.shape)), 0, 255).astype(np.uint8)
    return SourceData(LabelledImages(images, np.empty(0, dtype=np.int64), "blobs", targets={"points": points}))
