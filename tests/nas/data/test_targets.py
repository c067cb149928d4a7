from __future__ import annotations

import numpy as np
import pytest
import torch

from nas.data.augment import augment
from nas.data.settings import AugmentSettings, DataSettings
from nas.data.splits import ImageSet, load_data
from nas.data.targets import batch_targets, crop_targets, dense_scores

UNCHANGED = AugmentSettings(max_shift=0, max_rotation_degrees=0, max_scale=0)
NUM, CLASSES = 8, 4
LABELS = torch.arange(NUM) % CLASSES
IMAGES = torch.zeros(NUM, 1, 8, 8, dtype=torch.uint8)
CHOSEN = torch.tensor([5, 0, 3])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def split(**given: torch.Tensor) -> ImageSet:
    return ImageSet(IMAGES, LABELS, **given)


def random_maps(k: int = 2) -> torch.Tensor:
    rng = np.random.default_rng(0)
    classes = rng.permuted(np.tile(np.arange(CLASSES), (NUM, 3, 2, 1)), axis=3)[..., :k].transpose(0, 3, 1, 2)
    return torch.from_numpy(np.stack([classes, rng.normal(size=classes.shape)], axis=1)).float()


def identity(num: int) -> torch.Tensor:
    return torch.eye(2, 3).expand(num, -1, -1)


def left_is_one() -> torch.Tensor:
    """One map a image: class 1 scores 10 in the left half, class 2 in the right half."""
    classes = torch.tensor([1.0, 1.0, 2.0, 2.0]).expand(NUM, 1, 4, 4)
    return torch.stack([classes, torch.full_like(classes, 10.0)], dim=1)


def test_labels_and_soft_labels_are_those_of_the_images() -> None:
    assert torch.equal(batch_targets(split(), CHOSEN, CLASSES, UNCHANGED, generator()), LABELS[CHOSEN])
    soft = torch.rand(NUM, CLASSES)
    found = batch_targets(split(soft_labels=soft), CHOSEN, CLASSES, UNCHANGED, generator())
    assert torch.equal(found, soft[CHOSEN])


def test_a_whole_image_takes_the_softmax_of_its_mean_scores() -> None:
    maps = random_maps()
    expected = dense_scores(maps, CLASSES).mean(dim=(2, 3)).softmax(dim=1)
    assert torch.allclose(crop_targets(maps, CLASSES, identity(NUM)), expected, atol=1e-6)
    found = batch_targets(split(label_maps=maps), CHOSEN, CLASSES, UNCHANGED, generator())
    assert torch.allclose(found, expected[CHOSEN], atol=1e-6)
    assert torch.allclose(found.sum(dim=1), torch.ones(3))


def test_dense_scores_hold_the_stored_ones_and_zeros() -> None:
    maps = random_maps(k=1)
    dense = dense_scores(maps, CLASSES)
    assert dense.shape == (NUM, CLASSES, 3, 2)
    assert torch.allclose(dense.sum(dim=1), maps[:, 1, 0])
    assert int((dense != 0).sum()) == NUM * 3 * 2


def test_a_crop_takes_the_label_of_what_it_shows() -> None:
    """A crop of the left half, of the right half, and one shifted half out of the image on the left."""
    shown = torch.stack(
        [torch.tensor([[0.5, 0, x], [0, 1, 0]]) for x in (-0.5, 0.5)] + [torch.tensor([[1.0, 0, -1], [0, 1, 0]])]
    )
    found = crop_targets(left_is_one()[:3], CLASSES, shown)
    assert found.argmax(dim=1).tolist() == [1, 2, 1]
    assert float(found[2, 1]) > 0.95, "what lies outside the image does not count"
    nothing = crop_targets(left_is_one()[:1], CLASSES, torch.tensor([[[1.0, 0, 3], [0, 1, 0]]]))
    assert torch.allclose(nothing, torch.full((1, CLASSES), 1 / CLASSES))


@pytest.mark.parametrize("changes", [{}, {"horizontal_flip": True}, {"max_rotation_degrees": 180}, {"max_scale": 0.5}])
def test_targets_follow_the_changes_of_the_images(changes) -> None:
    """The image shows where class 1 is: its mean brightness on the part inside must be the share of class 1."""
    settings = AugmentSettings(**{**UNCHANGED.model_dump(), "max_shift": 0.4, **changes})
    images = torch.zeros(NUM, 2, 16, 16)
    images[:, 0, :, :8], images[:, 1] = 1, 1
    shown = augment(images, settings, generator())
    share = shown[:, 0].sum(dim=(1, 2)) / shown[:, 1].sum(dim=(1, 2))
    maps = left_is_one()
    maps[:, 1] = torch.where(maps[:, 0] == 1, 1.0, 0.0)
    targets = batch_targets(
        ImageSet(images, LABELS, label_maps=maps), torch.arange(NUM), CLASSES, settings, generator()
    )
    scores = targets[:, 1].log() - targets[:, 0].log()
    assert torch.allclose(scores, share, atol=0.12)
    assert float(share.max() - share.min()) > 0.3


@pytest.mark.parametrize("two_sets", [True, False])
@pytest.mark.parametrize("kind", ["soft_labels", "label_maps"])
def test_targets_of_a_file_stay_with_their_images(tmp_path, kind, two_sets) -> None:
    """Also through a sample of the images and the split; the other sets keep their labels alone."""
    number = np.arange(200)
    images = np.broadcast_to(number.astype(np.uint8)[:, None, None], (200, 4, 4))
    labels = number % 2
    first = (number + 1) / 201
    soft = np.stack([first, 1 - first], axis=1)
    maps = np.stack([np.zeros((200, 1, 2, 2)), np.broadcast_to(number[:, None, None, None], (200, 1, 2, 2))], axis=1)
    content = {f"{kind}_train": soft if kind == "soft_labels" else maps}
    if two_sets:
        content |= {"x_train": images, "y_train": labels, "x_test": images[:20], "y_test": labels[:20]}
    else:
        content |= {"images": images, "labels": labels}
    np.savez(tmp_path / "data.npz", **content)
    settings = DataSettings(source="npz", path=str(tmp_path / "data.npz"), calibration_images=8, max_images=100)
    data = load_data(settings, 0)
    pixel = data.training.images[:, 0, 0, 0].long()
    if kind == "soft_labels":
        assert torch.allclose(data.training.soft_labels, torch.from_numpy(soft).float()[pixel])
    else:
        assert torch.equal(data.training.label_maps[:, 1, 0, 0, 0].long(), pixel)
    moved = data.to("meta").training
    assert getattr(moved, kind).is_meta
    for other in (data.calibration, data.validation, data.test):
        assert other.soft_labels is None
        assert other.label_maps is None
