from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from search_spaces.blueprint import Block, Stage
from search_spaces.building import NORMS, assemble, block_in_mode, build, initialise, parameter_owners, set_mode
from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space
from search_spaces.testing_blocks import place


def test_parameters_are_named_by_role(toy: SearchSpace) -> None:
    names = dict(build(toy.blueprint(toy.largest())).named_parameters())
    assert "stem.conv_stem.conv.weight" in names
    assert "stage1.block3.conv_stem.norm.bias" in names
    assert "head.mobile_head.classifier.bias" in names


def test_building_repeats_under_a_seed_and_differs_between_seeds(toy: SearchSpace) -> None:
    blueprint = toy.blueprint(toy.largest())
    one, again, other = (build(blueprint, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["stem.conv_stem.conv.weight"], other["stem.conv_stem.conv.weight"])


def test_a_network_trains_as_a_plain_module(toy: SearchSpace) -> None:
    network = build(toy.blueprint(toy.smallest()))
    assert network.training
    logits = network(torch.randn(4, 2, 9, 7, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (4, 3)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("name", ["ofa_mobilenet", "autoformer"])
def test_every_parameter_is_initialised_by_the_rule_of_its_kind(name: str) -> None:
    found = space(name, form="small_image")
    network = build(found.blueprint(found.largest()))
    parameters = dict(network.named_parameters())
    for path, owner in parameter_owners(network):
        value, local = parameters[path].detach(), path.rpartition(".")[2]
        if local == "bias":
            assert not value.any()
        elif isinstance(owner, (*NORMS, nn.LayerNorm)):
            assert (value == 1).all()
        elif isinstance(owner, nn.Conv2d):
            fan_out = value.shape[0] * value[0, 0].numel() / owner.groups
            assert float(value.std()) == pytest.approx(math.sqrt(2 / fan_out), rel=6 / math.sqrt(value.numel()))
        else:
            assert float(value.std()) == pytest.approx(0.02, rel=6 / math.sqrt(value.numel()))


def test_a_tensors_first_values_do_not_depend_on_other_tensors() -> None:
    owner, alone, again = nn.Linear(4, 8), torch.empty(8, 4), torch.empty(8, 4)
    initialise(owner, "head.weight", alone, seed=5)
    state = torch.get_rng_state()
    initialise(owner, "head.weight", again, seed=5)
    assert torch.equal(alone, again)
    assert torch.equal(torch.get_rng_state(), state)


def test_assemble_gives_fresh_statistics(toy: SearchSpace) -> None:
    for name, buffer in assemble(toy.blueprint(toy.largest())).named_buffers():
        assert (buffer == (1 if name.endswith("running_var") else 0)).all()


def test_building_on_the_meta_device_takes_no_storage() -> None:
    found = space("autoformer", form="base")
    network = assemble(found.blueprint(found.largest()), "meta")
    assert sum(parameter.numel() for parameter in network.parameters()) > 50_000_000
    assert {parameter.device.type for parameter in network.parameters()} == {"meta"}


def test_the_three_modes() -> None:
    placed = place("mbconv", 8, 8, (4, 4), kernel=3, expansion=2)
    norms = {mode: block_in_mode(placed, mode).project.norm for mode in ("train", "calibrate", "evaluate")}
    assert norms["train"].running_mean is None
    assert norms["calibrate"].training
    assert norms["calibrate"].momentum is None
    assert not norms["evaluate"].training


def test_a_block_that_can_not_stand_there_names_what_is_allowed() -> None:
    found = space("autoformer", form="small_image", widths=(16,), depths=(1,))
    blueprint = found.blueprint(found.smallest())
    stem = Stage("stem", 16, (Block.of("patch_embed", stride=5),))
    wrong = type(blueprint)(blueprint.family, 3, (16, 16), stem, blueprint.stages, blueprint.head)
    with pytest.raises(
        UsageError, match=r"patch 5 does not divide the resolution 16x16: allowed patches: \[1, 2, 4, 8, 16"
    ):
        build(wrong)


def test_training_mode_uses_batch_statistics_and_updates_none() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2))
    set_mode(network, "train")
    out = network(torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(0)) + 5)
    assert network.training
    assert dict(network.named_buffers()) == {}
    assert float(out.mean().detach().abs()) < 1e-5
