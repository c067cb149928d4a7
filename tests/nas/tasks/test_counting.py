from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.data.source import LabelledImages
from nas.data.splits import ImageSet
from nas.tasks.counting import Counting, summed
from search_spaces.errors import UsageError

TASK = Counting(sigma=1.0)
HEIGHT, WIDTH = 8, 12


def found(num: int = 2, **targets: np.ndarray) -> LabelledImages:
    return LabelledImages(np.zeros((num, HEIGHT, WIDTH)), np.empty(0, int), "some.npz", targets=targets)


def points(*places: tuple[float, float]) -> np.ndarray:
    return np.array([places, [(np.nan, np.nan)] * len(places)])


@given(st.lists(st.tuples(st.floats(0, HEIGHT), st.floats(0, WIDTH)), min_size=1, max_size=6))
def test_the_density_of_places_sums_to_their_number(places: list[tuple[float, float]]) -> None:
    density = TASK.prepared(found(points=points(*places))).targets["targets"]
    assert density.shape == (2, HEIGHT, WIDTH)
    assert density[0].sum() == pytest.approx(len(places), rel=1e-5)
    assert not density[1].any()


def test_the_density_is_highest_at_the_place() -> None:
    density = TASK.density(np.array([[2.5, 9.5]]), (HEIGHT, WIDTH))
    assert np.unravel_index(density.argmax(), density.shape) == (2, 9)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
def test_sums_stay_at_any_size(height: int, width: int, seed: int) -> None:
    maps = torch.rand(2, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))
    cells = summed(maps, (height, width))
    assert cells.shape == (2, 1, height, width)
    torch.testing.assert_close(cells.sum((2, 3)), maps.sum((2, 3)))


def test_cells_of_whole_pixels_hold_their_sum() -> None:
    maps = torch.arange(HEIGHT * WIDTH, dtype=torch.float32).view(1, 1, HEIGHT, WIDTH)
    expected = torch.nn.functional.avg_pool2d(maps, (2, 3)) * 6
    torch.testing.assert_close(summed(maps, (4, 4)), expected)


def test_the_error_is_of_the_counts_whatever_the_size_of_the_map() -> None:
    truth = torch.zeros(2, HEIGHT, WIDTH)
    truth[0, 1, 1], truth[1, 2, 2] = 3, 5
    outputs = torch.full((2, 1, 2, 3), 0.5)
    rows = TASK.rows(outputs, truth)
    assert rows.tolist() == [[3.0, 3.0], [3.0, 5.0]]
    assert TASK.value(rows) == 1.0
    assert TASK.metric.rank(1.0) > TASK.metric.rank(2.0)


def test_objects_stay_when_an_image_is_turned_or_made_smaller() -> None:
    density = torch.from_numpy(TASK.density(np.array([[4.0, 6.0]]), (HEIGHT, WIDTH)))[None]
    cos, sin = float(np.cos(0.3)), float(np.sin(0.3))
    turned = torch.tensor([[[cos, -sin * HEIGHT / WIDTH, 0], [sin * WIDTH / HEIGHT, cos, 0]]])
    smaller = torch.tensor([[[1.1, 0, 0], [0, 1.1, 0]]])
    for shown in (turned, smaller):
        assert float(TASK.changed(density, shown, "zeros").sum()) == pytest.approx(1, abs=0.01)


def test_objects_that_leave_the_image_are_gone() -> None:
    density = torch.zeros(1, HEIGHT, WIDTH)
    density[0, 4, 0] = density[0, 4, 6] = 1
    right = torch.tensor([[[1.0, 0, 2 / WIDTH * 3], [0, 1, 0]]])
    assert float(TASK.changed(density, right, "zeros").sum()) == pytest.approx(1)


def test_guessing_is_the_median_count() -> None:
    truth = torch.zeros(3, HEIGHT, WIDTH)
    truth[:, 0, 0] = torch.tensor([1.0, 2.0, 7.0])
    images = ImageSet(torch.zeros(3, 1, 8, 12, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), targets=truth)
    assert TASK.value(TASK.guess(images)) == pytest.approx(2.0)


def nan_density() -> np.ndarray:
    density = np.zeros((2, HEIGHT, WIDTH))
    density[1, 2, 3] = np.nan
    return density


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            found(targets=nan_density()),
            r"the density of image 1 holds NaN, infinity or a value below 0 \(1 such images\)",
        ),
        (found(targets=-np.ones((2, HEIGHT, WIDTH))), r"the density of image 0 holds .* below 0 \(2 such images\)"),
        (found(targets=np.zeros((2, HEIGHT, 9))), r"densities of float64 \(2, 8, 9\) for images of \(2, 8, 12\)"),
        (
            found(points=points((3.0, 12.5))),
            r"image 0 has an object at \[3.0, 12.5\] \(row, column\): allowed: 0..8, 0..12",
        ),
        (found(points=np.zeros((2, 3))), r"points of float64 \(2, 3\) for 2 images: give floats \(2, most, 2\)"),
        (
            found(masks=np.zeros((2, HEIGHT, WIDTH))),
            r"task 'counting' needs points or targets beside the images: given: masks",
        ),
    ],
)
def test_targets_that_do_not_fit_are_named(given: LabelledImages, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TASK.prepared(given)
