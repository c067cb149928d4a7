"""Losses, distillations and targets of the data inside whole training steps."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from toy_training import convolutions, images, same_state, trainer, transformers

from nas.training.distillation import distillations
from search_spaces.errors import UsageError
from search_spaces.spaces import space

SPACES = {"convolutions": convolutions, "transformers": transformers}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", distillations.names())
def test_every_distillation_trains_and_resumes(name, space) -> None:
    made = partial(trainer, SPACES[space](), sampler="sandwich", networks_per_step=3, distillation=name)
    straight, first, second = made(), made(), made()
    losses = [straight.step(step) for step in range(3)]
    assert bool(torch.stack(losses).isfinite().all())
    first.step(0)
    second.load({key: tensor.clone() for key, tensor in first.state().items()})
    second.step(1)
    second.step(2)
    assert same_state(straight, second)


def test_projectors_are_trained_and_no_part_of_any_network() -> None:
    made = trainer(convolutions(), sampler="sandwich", networks_per_step=2, distillation="scalekd")
    own = {name: value.clone() for name, value in made.state().items() if name.startswith("loss/")}
    made.step(0)
    assert any("original.queries" in name for name in own)
    moved = [name for name, value in made.state().items() if name in own and not torch.equal(value, own[name])]
    assert len(moved) > 0.8 * len(own)
    space = made.shared.space
    network = made.shared.extract(space.blueprint(space.largest()))
    assert not [name for name, _ in network.named_parameters() if "queries" in name or "key_value" in name]


def test_the_bias_loss_trains() -> None:
    made = trainer(convolutions(), loss="bias", loss_settings={"alpha": 0.5})
    plain = trainer(convolutions(), loss="bias", loss_settings={"alpha": 0.0, "beta": 0.0})
    assert float(plain.step(0)) == pytest.approx(float(trainer(convolutions()).step(0)))
    assert float(made.step(0)) != float(trainer(convolutions()).step(0))


def test_soft_labels_of_the_data_are_learned() -> None:
    data = images()
    one_hot = torch.nn.functional.one_hot(data.training.labels, 3).float()
    soft = replace(data, training=replace(data.training, soft_labels=one_hot))
    other = replace(data, training=replace(data.training, soft_labels=one_hot.roll(1, dims=1)))
    losses = [float(trainer(transformers(), data=each).step(0)) for each in (data, soft, other)]
    assert losses[1] == pytest.approx(losses[0])
    assert losses[2] != pytest.approx(losses[0])


def test_label_maps_of_the_data_are_learned() -> None:
    data = images()
    classes = data.training.labels.view(-1, 1, 1, 1).expand(-1, 1, 2, 2).float()
    maps = torch.stack([classes, torch.full_like(classes, 100.0)], dim=1)
    mapped = replace(data, training=replace(data.training, label_maps=maps))
    losses = [float(trainer(transformers(), data=each).step(0)) for each in (data, mapped)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4), "a map of one certain class is its label"


def test_a_teacher_that_changes_its_size_is_refused_by_scalekd() -> None:
    made = trainer(convolutions(), sampler="uniform", networks_per_step=2, distillation="scalekd")

    def train() -> None:
        for step in range(10):
            made.step(step)

    with pytest.raises(UsageError, match=r"the teacher must be one network: choose the sandwich sampler or set"):
        train()


@pytest.mark.parametrize("name", ["crossvit", "nasnet"])
def test_a_head_of_several_inputs_trains_and_refuses_losses_that_read_one(name) -> None:
    found = space(name, form="small_image", in_channels=1, num_classes=3)
    plain = partial(trainer, found, sampler="sandwich", networks_per_step=2)
    assert bool(plain(distillation="kl").step(0).isfinite())
    with pytest.raises(UsageError, match="reads the input of the head, and the head of these networks takes several"):
        plain(loss="bias").step(0)
    with pytest.raises(UsageError, match="choose another loss, distillation or teacher"):
        plain(distillation="scalekd")
