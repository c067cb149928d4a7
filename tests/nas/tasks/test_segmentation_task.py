from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.data.source import LabelledImages
from nas.data.splits import ImageSet
from nas.tasks.segmentation import IGNORED, UNLABELLED, Segmentation
from search_spaces.errors import UsageError

TASK = Segmentation()
HEIGHT, WIDTH = 4, 6
WHOLE = torch.eye(2, 3)


def found(masks: np.ndarray, num: int = 2) -> LabelledImages:
    images = np.zeros((num, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return LabelledImages(images, np.empty(0, int), "some.npz", targets={"masks": masks})


def masks(*values: int) -> np.ndarray:
    return np.resize(np.array(values), (2, HEIGHT, WIDTH))


def logits_of(classes: torch.Tensor, num_classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(classes, num_classes).movedim(-1, 1).float()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_mean_iou_is_that_of_sets_of_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, predicted = rng.integers(0, 4, (3, HEIGHT, WIDTH)), rng.integers(0, 3, (3, HEIGHT, WIDTH))
    wanted[rng.random(wanted.shape) < 0.2] = UNLABELLED
    seen = wanted != UNLABELLED
    shares = []
    for number in range(4):
        true, said = (wanted == number) & seen, (predicted == number) & seen
        if (true | said).any():
            shares.append((true & said).sum() / (true | said).sum())
    outputs = logits_of(torch.from_numpy(predicted), 5)
    rows = torch.cat(
        [TASK.rows(outputs[part], torch.from_numpy(wanted[part].astype(np.uint8))) for part in ([0], [1, 2])]
    )
    assert TASK.value(rows) == pytest.approx(100 * np.mean(shares))


def test_a_class_that_nobody_saw_does_not_count() -> None:
    wanted = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    assert TASK.value(TASK.rows(logits_of(wanted.long(), 9), wanted)) == 100


def test_logits_of_another_size_are_resized_to_the_masks() -> None:
    wanted = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.uint8)
    wanted[:, :, WIDTH // 2 :] = 1
    coarse = logits_of(torch.tensor([[[0, 1]]]), 2)
    outputs, targets = TASK.aligned(coarse, wanted)
    assert outputs.shape == (1, 2, HEIGHT, WIDTH)
    assert torch.equal(outputs.argmax(1), targets)


def test_unlabelled_pixels_do_not_train() -> None:
    wanted = torch.tensor([[[0, UNLABELLED]]], dtype=torch.uint8)
    outputs, targets = TASK.aligned(torch.zeros(1, 2, 1, 2, requires_grad=True), wanted)
    assert targets.tolist() == [[[0, IGNORED]]]
    (gradient,) = torch.autograd.grad(torch.nn.functional.cross_entropy(outputs, targets), outputs)
    assert not gradient[..., 1].any()
    assert gradient[..., 0].any()


def test_masks_follow_whole_shifts_and_flips_exactly() -> None:
    targets = torch.arange(HEIGHT * WIDTH, dtype=torch.uint8).view(1, HEIGHT, WIDTH)
    flipped = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]])
    assert torch.equal(TASK.changed(targets, flipped, "zeros"), targets.flip(2))
    right = torch.tensor([[[1.0, 0, 2 / WIDTH * 2], [0, 1, 0]]])
    moved = TASK.changed(targets, right, "zeros")
    assert torch.equal(moved[:, :, :-2], targets[:, :, 2:])
    assert bool((moved[:, :, -2:] == UNLABELLED).all())
    assert bool((TASK.changed(targets, right, "reflection") < UNLABELLED).all())
    assert torch.equal(TASK.changed(targets, WHOLE[None], "zeros"), targets)


def test_guessing_is_the_commonest_class_everywhere() -> None:
    truth = torch.tensor([[[0, 1, 1, UNLABELLED]]], dtype=torch.uint8)
    images = ImageSet(torch.zeros(1, 3, 1, 4, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64), targets=truth)
    assert TASK.value(TASK.guess(images)) == pytest.approx(100 * (0 + 2 / 3) / 2)


def test_names_are_numbers_where_there_are_none() -> None:
    prepared = TASK.prepared(found(masks(0, 2, UNLABELLED)))
    assert prepared.targets["masks"].dtype == np.uint8
    assert TASK.class_names(prepared, None) == ("0", "1", "2")
    assert TASK.class_names(prepared, ("sky", "sea", "land", "ice")) == ("sky", "sea", "land", "ice")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            np.zeros((2, HEIGHT, WIDTH + 1), int),
            r"masks of int64 \(2, 4, 7\) for images of \(2, 4, 6, 3\): give integers",
        ),
        (np.zeros((2, HEIGHT, WIDTH)), r"masks of float64 \(2, 4, 6\)"),
        (masks(0, -1), r"the mask of image 0 holds class -1: allowed: 0..254, and 255 for pixels without a class"),
        (masks(0, 300), "the mask of image 0 holds class 300"),
    ],
)
def test_masks_that_do_not_fit_are_named(given: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TASK.prepared(found(given))


def test_a_class_without_a_name_is_named() -> None:
    wrong = masks(0, 1)
    wrong[1, 2, 3] = 7
    with pytest.raises(
        UsageError, match=r"some.npz: the mask of image 1 holds class 7: allowed: 0..1, .*\(1 such pixels\)"
    ):
        TASK.class_names(TASK.prepared(found(wrong)), ("a", "b"))
    with pytest.raises(UsageError, match="1 class: masks need pixels of at least 2 classes"):
        TASK.class_names(TASK.prepared(found(masks(0))), None)


def test_missing_masks_are_named() -> None:
    points = LabelledImages(np.zeros((2, 4, 6)), np.empty(0, int), "x.npz", targets={"points": np.zeros((2, 1, 2))})
    with pytest.raises(UsageError, match=r"x.npz: task 'segmentation' needs masks beside the images: given: points"):
        TASK.prepared(points)
