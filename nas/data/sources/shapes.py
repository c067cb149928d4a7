"""Images made by rule, for segmentation: discs, boxes and triangles of random colours over a striped ground; 24 x 32.

Colours say nothing of the class: the shape alone does. Masks hold 0 for the ground and 1, 2, 3 for the shapes; later
shapes hide earlier ones. Numbers of images and of pixels are constants, so that the set is one and the same for a seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse

NUM_IMAGES = 2000
HEIGHT, WIDTH = 24, 32
MOST_SHAPES = 3
CLASS_NAMES = ("ground", "disc", "box", "triangle")
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH] + 0.5

Mask = NDArray[np.bool_]


@SOURCES.register("shapes")
def shapes(settings: DataSettings, seed: int) -> SourceData:
    """Return the images (n, 24, 32, 3) with their masks. They have no test set of their own.

    Raises:
        UsageError: a path, size or skip_undecodable was given.
    """
    refuse(settings, ["path", "size", "skip_undecodable"])
    rng = np.random.default_rng([seed, NUM_IMAGES])
    images = np.empty((NUM_IMAGES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    masks = np.zeros((NUM_IMAGES, HEIGHT, WIDTH), dtype=np.uint8)
    for image, mask in zip(images, masks, strict=True):
        _draw(image, mask, rng)
    found = LabelledImages(images, np.empty(0, dtype=np.int64), "shapes", targets={"masks": masks})
    return SourceData(found, class_names=CLASS_NAMES)


def _draw(image: NDArray[np.uint8], mask: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Fill one image and its mask."""
    painted = _stripes(rng)
    for _ in range(rng.integers(1, MOST_SHAPES + 1)):
        kind = int(rng.integers(1, len(CLASS_NAMES)))
        covered = _shape(kind, rng)
        painted[covered] = rng.uniform(0, 255, size=3)
        mask[covered] = kind
    noisy = painted + rng.normal(0, 12, size=painted.shape)
    image[:] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _stripes(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return waves between two colours, (height, width, 3)."""
    angle, frequency, phase = rng.uniform(0, np.pi), rng.uniform(0.2, 1.2), rng.uniform(0, 2 * np.pi)
    wave = 0.5 + 0.5 * np.sin(frequency * (np.cos(angle) * COLUMNS + np.sin(angle) * ROWS) + phase)
    first, second = rng.uniform(0, 255, size=(2, 3))
    found: NDArray[np.float64] = first + wave[..., None] * (second - first)
    return found


def _shape(kind: int, rng: np.random.Generator) -> Mask:
    """Return the pixels of a shape: 1 a disc, 2 a box, 3 a triangle, turned at random."""
    radius = rng.uniform(4, 8)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = ROWS - rng.uniform(4, HEIGHT - 4), COLUMNS - rng.uniform(4, WIDTH - 4)
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    if kind == 1:
        inside = along**2 + across**2 < radius**2
    elif kind == 2:
        inside = (np.abs(along) < 0.85 * radius) & (np.abs(across) < 0.85 * radius)
    else:
        inside = np.ones_like(x, dtype=bool)
        for turn in (0, 2 * np.pi / 3, 4 * np.pi / 3):
            inside &= np.cos(turn) * along + np.sin(turn) * across < 0.6 * radius
    return np.asarray(inside)
