"""The sources that make their images by rule, and the photographs."""

from __future__ import annotations

import numpy as np
import pytest

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, SourceData
from search_spaces.errors import UsageError

NAMES = ("blobs", "photographs", "shapes")


def read(name: str, seed: int = 0, **settings: object) -> SourceData:
    return SOURCES.get(name)(DataSettings.model_validate({"source": name, **settings}), seed)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_says_what_they_are(name: str) -> None:
    first, again = read(name).training, read(name).training
    assert np.array_equal(first.images, again.images)
    assert first.images.shape[1] != first.images.shape[2], "they are not square"
    for key, targets in first.targets.items():
        assert np.array_equal(targets, again.targets[key], equal_nan=True)
    if name != "photographs":
        assert not np.array_equal(first.images, read(name, 1).training.images)


def test_shapes_of_every_class_are_drawn_and_colours_do_not_tell_them() -> None:
    found = read("shapes")
    images, masks = found.training.images, found.training.targets["masks"]
    assert found.class_names == ("ground", "disc", "box", "triangle")
    shares = np.bincount(masks.ravel()) / masks.size
    assert len(shares) == 4
    assert shares.min() > 0.04
    means = [images[masks == number].mean(axis=0) for number in range(1, 4)]
    assert np.abs(np.diff(means, axis=0)).max() < 12


def test_blobs_are_bright_where_their_places_are() -> None:
    found = read("blobs").training
    points = found.targets["points"]
    present = ~np.isnan(points[..., 0])
    assert set(np.unique(present.sum(1))) == set(range(21))
    image, place = np.nonzero(present)
    rows, columns = points[image, place].astype(int).T
    assert found.images[image, rows, columns].mean() > found.images.mean() + 40


def test_pieces_of_photographs_are_real_and_do_not_overlap() -> None:
    from sklearn.datasets import load_sample_images

    pieces = read("photographs").training.images
    assert pieces.shape == (680, 24, 32, 3)
    china = load_sample_images().images[0]
    assert np.array_equal(pieces[21], china[24:48, 32:64])


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_they_do_not_read_are_named(name: str) -> None:
    with pytest.raises(UsageError, match=f"data source '{name}' takes no path, given 'here': leave it out"):
        read(name, path="here")
