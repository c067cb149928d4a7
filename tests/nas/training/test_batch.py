from __future__ import annotations

from dataclasses import replace

import torch

from nas.data.batches import prepare, training_batch_indices
from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits, ImageSet
from nas.training.batch import training_batch

STILL = AugmentSettings(max_shift=0, max_rotation_degrees=0, max_scale=0)


def splits() -> DataSplits:
    images = torch.randint(0, 256, (30, 2, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images_of = ImageSet(images, torch.arange(30) % 3)
    return DataSplits(images_of, images_of, images_of, images_of, ("a", "b", "c"), (0.4, 0.5), (0.2, 0.3))


def test_a_batch_is_the_prepared_images_of_its_indices_with_their_labels() -> None:
    data = splits()
    for index in (0, 2, 3, 11):
        images, labels = training_batch(data, (8, 8), 8, STILL, seed=5, index=index)
        chosen = training_batch_indices(30, 8, 5, index)
        assert torch.equal(labels, chosen % 3)
        assert torch.equal(images, prepare(data.training.images[chosen], (8, 8), data.mean, data.std))
        assert images.shape == (8, 2, 8, 8)


def test_a_batch_is_a_function_of_seed_and_index() -> None:
    data, settings = splits(), AugmentSettings()
    batches = {(s, i): training_batch(data, (6, 5), 8, settings, s, i)[0] for s in (0, 1) for i in (0, 1, 4)}
    torch.manual_seed(9)
    for (seed, index), images in batches.items():
        assert torch.equal(training_batch(data, (6, 5), 8, settings, seed, index)[0], images)
    found = list(batches.values())
    assert all(not torch.equal(a, b) for n, a in enumerate(found) for b in found[:n])


def test_the_changes_of_one_image_differ_between_steps() -> None:
    data = splits()
    image = data.training.images[:1]
    same = replace(data, training=ImageSet(image.expand(30, -1, -1, -1).contiguous(), data.training.labels))
    first, second = (training_batch(same, (6, 5), 30, AugmentSettings(), 0, index)[0] for index in (0, 1))
    assert not torch.equal(first, second)
