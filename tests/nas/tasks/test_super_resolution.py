from __future__ import annotations

import numpy as np
import pytest
import torch

from nas.data.settings import AugmentSettings
from nas.data.source import LabelledImages
from nas.data.splits import ImageSet
from nas.tasks.super_resolution import BEST_DB, SuperResolution, psnr_db, shrunk
from search_spaces.errors import UsageError

TASK = SuperResolution(factor=2)


def found(images: np.ndarray, **targets: np.ndarray) -> LabelledImages:
    return LabelledImages(images, np.empty(0, int), "some.npz", targets=targets)


def random_images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_images_alone_are_the_targets_and_their_means_the_images() -> None:
    large = random_images(3, 4, 6, 2)
    prepared = TASK.prepared(found(large))
    assert prepared.images.shape == (3, 2, 3, 2)
    assert prepared.images[1, 0, 2, 1] == np.rint(large[1, :2, 4:, 1].mean())
    assert np.array_equal(prepared.targets["targets"], large.transpose(0, 3, 1, 2))
    assert np.array_equal(shrunk(large, 1), large)


def test_small_images_of_ones_own_are_kept() -> None:
    small, large = random_images(3, 2, 3), random_images(3, 4, 6)
    prepared = TASK.prepared(found(small, targets=large))
    assert np.array_equal(prepared.images, small)
    assert prepared.targets["targets"].shape == (3, 1, 4, 6)


def test_psnr_by_its_formula() -> None:
    wanted = torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
    made = torch.zeros(2, 1, 2, 2)
    made[0, 0, 0, 0] = 0.2
    rows = TASK.rows(made, wanted)
    assert rows[0] == pytest.approx(10 * np.log10(1 / (0.2**2 / 4)), rel=1e-6)
    assert float(rows[1]) == pytest.approx(BEST_DB, abs=0.01)
    assert TASK.value(rows) == pytest.approx(float(rows.mean()))


def test_values_outside_0_to_1_count_as_its_ends() -> None:
    wanted = torch.full((1, 1, 2, 2), 255, dtype=torch.uint8)
    assert torch.equal(TASK.rows(torch.full((1, 1, 2, 2), 3.0), wanted), TASK.rows(torch.ones(1, 1, 2, 2), wanted))


def test_large_images_follow_shifts_and_flips_of_small_ones_exactly() -> None:
    large = torch.from_numpy(random_images(1, 3, 8, 12))
    small = large.float().unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
    shown = torch.tensor([[[-1.0, 0, 2 / 6], [0, 1, -2 / 4]]])
    changed = TASK.changed(large, shown, "reflection")
    grid = torch.nn.functional.affine_grid(shown, [1, 3, 4, 6], align_corners=False)
    expected = torch.nn.functional.grid_sample(small, grid, padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(changed.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5)), expected, rtol=0, atol=1e-3)


def test_guessing_is_the_mean_image() -> None:
    truth = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    images = ImageSet(torch.zeros(2, 1, 1, 1, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), targets=truth)
    assert TASK.value(TASK.guess(images)) == pytest.approx(float(psnr_db(torch.zeros(1, 4), torch.full((1, 4), 0.5))))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            found(random_images(2, 5, 6)),
            r"images of 5 x 6 \(height x width\): factor 2 of task .* does not divide them",
        ),
        (
            found(random_images(2, 2, 3), targets=random_images(2, 4, 8)),
            r"targets of \(2, 4, 8, 1\) for images of \(2, 2, 3, 1\): with factor 2 give \(2, 4, 6, 1\)",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_named(given: LabelledImages, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TASK.prepared(given)


def test_changes_that_the_large_image_can_not_follow_are_named() -> None:
    with pytest.raises(UsageError, match=r"augmentation.max_rotation_degrees got 10: task 'super_resolution' takes"):
        TASK.check_augmentation(AugmentSettings())
    TASK.check_augmentation(AugmentSettings(max_rotation_degrees=0, max_scale=0, horizontal_flip=True))


def test_a_factor_that_is_none_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"task 'super_resolution', setting 'factor' got 1: .*greater than or equal to 2"
    ):
        SuperResolution(factor=1)
