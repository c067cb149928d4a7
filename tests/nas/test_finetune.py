from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from nas.data.batches import prepare
from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits, ImageSet
from nas.evaluation import Batches, module_rows
from nas.finetune import CALIBRATION_BATCH, finetune, recalibrate
from nas.training.settings import FinetuneSettings
from search_spaces.blueprint import Blueprint
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.spaces import space

AUGMENT = AugmentSettings(max_shift=0.05, max_rotation_degrees=5)


def image_set(num: int, seed: int) -> ImageSet:
    """Return noise (num, 1, 8, 8) with one bright quadrant: its number is the label."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num) % 4
    images = torch.randint(0, 120, (num, 1, 2, 4, 2, 4), generator=generator)
    images[torch.arange(num), 0, labels // 2, :, labels % 2] += 60
    return ImageSet(images.reshape(num, 1, 8, 8).to(torch.uint8), labels)


@pytest.fixture(scope="module")
def data() -> DataSplits:
    sets = [image_set(num, seed) for seed, num in enumerate((256, 40, 80, 80))]
    return DataSplits(*sets, class_names=("a", "b", "c", "d"), mean=(0.3,), std=(0.15,))


def network(family: str, seed: int = 0) -> tuple[nn.Module, Blueprint]:
    changes: dict[str, Any] = {"ofa_mobilenet": {"resolutions": (8,)}, "autoformer": {"resolution": 8, "patch": 2}}
    found = space(family, form="small_image", in_channels=1, num_classes=4, **changes[family])
    blueprint = found.blueprint(found.smallest())
    return build(blueprint, seed=seed).eval(), blueprint


def equal(first: nn.Module, second: nn.Module) -> bool:
    one, two = first.state_dict(), second.state_dict()
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("family", "optimiser", "rate"),
    [("ofa_mobilenet", "adamw", 3e-3), ("ofa_mobilenet", "sgd", 0.05), ("autoformer", "adamw", 3e-3)],
)
def test_a_network_learns_and_its_source_stays_as_it_was(
    family: str, optimiser: Any, rate: float, data: DataSplits
) -> None:
    module, blueprint = network(family)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    settings = FinetuneSettings(epochs=20, batch_size=32, optimiser=optimiser, learning_rate=rate)
    tuned = finetune(module, blueprint, data, settings, AUGMENT, seed=0)
    assert not tuned.training
    assert data.task.value(module_rows(tuned, Batches(data.validation, data), blueprint.resolution, data.task)) >= 90
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_no_epochs_leave_the_network_as_it_was_extracted(data: DataSplits) -> None:
    module, blueprint = network("ofa_mobilenet")
    tuned = finetune(module, blueprint, data, FinetuneSettings(epochs=0), AUGMENT, seed=0)
    assert tuned is not module
    assert equal(tuned, module)
    assert not tuned.training


def with_dropout() -> tuple[nn.Module, Blueprint]:
    _, blueprint = network("ofa_mobilenet")
    (head,) = blueprint.head.blocks
    blueprint = replace(blueprint, head=replace(blueprint.head, blocks=(head.replace(dropout=0.5),)))
    return build(blueprint).eval(), blueprint


def test_the_result_is_a_function_of_seed_and_inputs_alone(data: DataSplits) -> None:
    module, blueprint = with_dropout()
    settings = FinetuneSettings(epochs=1, batch_size=32)
    torch.manual_seed(1)
    first = finetune(module, blueprint, data, settings, AUGMENT, seed=3)
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(3)), "the global generator was moved"
    again = finetune(module, blueprint, data, settings, AUGMENT, seed=3)
    other = finetune(module, blueprint, data, settings, AUGMENT, seed=4)
    assert equal(first, again)
    assert not equal(first, other)


def test_validation_and_test_images_are_not_read(data: DataSplits) -> None:
    module, blueprint = network("ofa_mobilenet")
    settings = FinetuneSettings(epochs=1, batch_size=32)
    black = ImageSet(torch.zeros_like(data.test.images), torch.zeros_like(data.test.labels))
    others = replace(data, validation=black, test=black)
    found = [finetune(module, blueprint, splits, settings, AUGMENT, seed=0) for splits in (data, others)]
    assert equal(*found)


def test_statistics_are_those_of_the_calibration_images(data: DataSplits) -> None:
    module, blueprint = network("ofa_mobilenet")
    tuned = finetune(module, blueprint, data, FinetuneSettings(epochs=1), AUGMENT, seed=0)
    norm = next(m for m in tuned.modules() if isinstance(m, nn.BatchNorm2d))
    conv = next(m for m in tuned.modules() if isinstance(m, nn.Conv2d))
    assert norm.running_mean is not None
    assert norm.running_var is not None
    images = prepare(data.calibration.images, blueprint.resolution, data.mean, data.std)
    with torch.no_grad():
        channels = conv(images).transpose(0, 1).flatten(1)
    torch.testing.assert_close(norm.running_mean, channels.mean(1))
    torch.testing.assert_close(norm.running_var, channels.var(1))
    assert norm.momentum == 0.1
    assert int(norm.num_batches_tracked or 0) == 1


def test_an_image_is_classified_the_same_alone_and_among_others(data: DataSplits) -> None:
    module, blueprint = network("ofa_mobilenet")
    tuned = finetune(module, blueprint, data, FinetuneSettings(epochs=1), AUGMENT, seed=0)
    images = prepare(data.test.images[:5], blueprint.resolution, data.mean, data.std)
    with torch.inference_mode():
        torch.testing.assert_close(torch.cat([tuned(image[None]) for image in images]), tuned(images))


def test_one_calibration_image_more_than_a_batch_is_no_batch_of_its_own(data: DataSplits) -> None:
    class Pooled(nn.Module):
        """Maps of one pixel: BatchNorm refuses a batch of one image of them."""

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.norm(x.mean((2, 3), keepdim=True))
            return out

    module = Pooled().train()
    recalibrate(module, (8, 8), replace(data, calibration=image_set(CALIBRATION_BATCH + 1, seed=9)))
    assert not module.training
    assert not module.norm.training
    assert int(module.norm.num_batches_tracked or 0) == 2


def test_a_batch_larger_than_the_training_set_is_refused(data: DataSplits) -> None:
    module, blueprint = network("ofa_mobilenet")
    with pytest.raises(UsageError, match=r"batch size 512 for 256 training images: give 1\.\.256"):
        finetune(module, blueprint, data, FinetuneSettings(batch_size=512), AUGMENT, seed=0)


def test_a_training_that_diverges_is_named(data: DataSplits) -> None:
    module, blueprint = network("ofa_mobilenet")
    settings = FinetuneSettings(epochs=1, learning_rate=1e30)
    with pytest.raises(UsageError, match=r"learning_rate 1e\+30 diverged: .*lower it"):
        finetune(module, blueprint, data, settings, AUGMENT, seed=0)


@pytest.mark.parametrize("given", [{"epochs": -1}, {"batch_size": 1}, {"learning_rate": 0}, {"epoch": 3}])
def test_settings_out_of_range_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        FinetuneSettings.model_validate(given)
