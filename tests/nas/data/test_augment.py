import math

import pytest
import torch

from nas.data.augment import augment
from nas.data.settings import AugmentSettings

STILL = {"max_shift": 0.0, "max_rotation_degrees": 0.0, "max_scale": 0.0}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator())


def test_nothing_asked_changes_nothing():
    raw = images(5, 3, 8, 8)
    assert augment(raw, AugmentSettings(**STILL), generator()).equal(raw.float())


def test_the_generator_decides():
    raw = images(5, 3, 8, 6)
    settings = AugmentSettings(horizontal_flip=True, cutout=0.3)
    first = augment(raw, settings, generator(1))
    assert (first.dtype, first.shape) == (torch.float32, raw.shape)
    assert first.isfinite().all()
    assert first.equal(augment(raw, settings, generator(1)))
    assert not first.equal(augment(raw, settings, generator(2)))
    assert raw.equal(images(5, 3, 8, 6))


def test_every_image_is_changed_on_its_own():
    raw = images(1, 1, 8, 8).expand(64, 1, 8, 8)
    changed = augment(raw, AugmentSettings(), generator())
    assert len({tuple(image.flatten().tolist()) for image in changed}) == 64


def shifted(image, right, down):
    height, width = image.shape
    padded = torch.zeros(3 * height, 3 * width)
    padded[height : 2 * height, width : 2 * width] = image
    return padded[height - down : 2 * height - down, width - right : 2 * width - right]


def test_a_shift_alone_moves_whole_pixels_and_leaves_black():
    raw = images(32, 1, 8, 4)
    changed = augment(raw, AugmentSettings(**{**STILL, "max_shift": 0.25}), generator())
    moves = set()
    for before, after in zip(raw[:, 0].float(), changed[:, 0], strict=True):
        fits = [
            (right, down)
            for right in (-1, 0, 1)
            for down in (-2, -1, 0, 1, 2)
            if torch.allclose(shifted(before, right, down), after, atol=1e-2)
        ]
        assert len(fits) == 1
        moves.add(fits[0])
    assert {right for right, _ in moves} == {-1, 0, 1}
    assert {down for _, down in moves} == {-2, -1, 0, 1, 2}


def test_a_flip_mirrors_about_half_of_the_images():
    raw = images(400, 1, 4, 6)
    changed = augment(raw, AugmentSettings(**STILL, horizontal_flip=True), generator())
    mirrored = torch.isclose(changed, raw.flip(-1).float(), atol=1e-2).all(dim=(1, 2, 3))
    same = torch.isclose(changed, raw.float(), atol=1e-2).all(dim=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 150 < int(mirrored.sum()) < 250


def test_reflection_keeps_the_border_of_a_bright_image():
    raw = torch.full((16, 1, 8, 8), 200, dtype=torch.uint8)
    settings = AugmentSettings(max_shift=0.3, padding="reflect")
    torch.testing.assert_close(augment(raw, settings, generator()), raw.float())
    assert augment(raw, AugmentSettings(max_shift=0.3), generator()).min() == 0


def angles_of(changed):
    """Direction in degrees from the centre to the centre of mass of each image (n, 1, h, w), y downwards."""
    mass = changed[:, 0]
    y, x = torch.meshgrid(*(torch.arange(size) - (size - 1) / 2 for size in mass.shape[1:]), indexing="ij")
    return torch.rad2deg(torch.atan2((mass * y).sum((1, 2)), (mass * x).sum((1, 2))))


@pytest.mark.parametrize(("height", "width"), [(41, 41), (41, 81)])
def test_a_rotation_keeps_to_its_angle_and_shape(height, width):
    raw = torch.zeros(64, 1, height, width, dtype=torch.uint8)
    raw[:, :, height // 2 - 1 : height // 2 + 2, width // 2 + 12 : width // 2 + 15] = 255
    changed = augment(raw, AugmentSettings(**{**STILL, "max_rotation_degrees": 30.0}), generator())
    angles = angles_of(changed)
    assert angles.abs().max() <= 30.5
    assert angles.min() < -25
    assert angles.max() > 25
    torch.testing.assert_close(changed.sum(dim=(1, 2, 3)), raw.float().sum(dim=(1, 2, 3)), rtol=0.05, atol=0)


def test_a_scale_stays_between_its_bounds():
    raw = torch.zeros(256, 1, 64, 64, dtype=torch.uint8)
    raw[:, :, 16:48, 16:48] = 255
    changed = augment(raw, AugmentSettings(**{**STILL, "max_scale": 0.25}), generator())
    scales = (changed.sum(dim=(1, 2, 3)) / (255 * 32 * 32)).sqrt()
    assert 1 / 1.25 - 0.01 < scales.min() < 0.85
    assert 1.15 < scales.max() < 1.25 + 0.01


def test_a_hole_has_the_image_mean_and_the_asked_side():
    raw = images(200, 3, 16, 16)
    changed = augment(raw, AugmentSettings(**STILL, cutout=0.25), generator())
    means = raw.float().mean(dim=(2, 3), keepdim=True)
    hole = (changed != raw).all(dim=1)
    assert torch.where(changed != raw, changed - means, torch.zeros(())).abs().max() < 1e-3
    assert hole.sum(dim=(1, 2)).max() <= 16
    assert hole.sum(dim=(1, 2)).float().mean() > 8
    assert math.isclose(hole.float().mean(dim=0).std().item(), 0, abs_tol=0.05)
