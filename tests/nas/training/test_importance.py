from __future__ import annotations

import pytest
import torch
from torch import nn
from toy_training import same_state, settings, trainer, transformers

from nas.training.importance import sort_channels, sort_in_training
from search_spaces.sharing import SharedWeights, covering_set
from search_spaces.spaces import space, spaces

SOME = ["autoformer", "efficientnetv2", "maxvit", "mobilenetv3", "ofa_mobilenet", "regnet", "resnet", "swin"]


def random_weights(name: str, dtype: torch.dtype = torch.float64) -> SharedWeights:
    shared = SharedWeights(space(name, form="small_image", num_classes=5))
    generator = torch.Generator().manual_seed(0)

    def some(tensor: torch.Tensor) -> nn.Parameter:
        scale = max(1, tensor[0].numel()) ** -0.5 if tensor.ndim > 1 else 1.0
        return nn.Parameter((scale * torch.randn(tensor.shape, generator=generator, dtype=torch.float64)).to(dtype))

    shared.tensors = {key: some(tensor) for key, tensor in shared.tensors.items()}
    return shared


@torch.no_grad()
def outputs(shared: SharedWeights, architecture) -> torch.Tensor:
    blueprint = shared.space.blueprint(architecture)
    generator = torch.Generator().manual_seed(1)
    dtype = next(iter(shared.tensors.values())).dtype
    x = torch.randn(2, blueprint.in_channels, *blueprint.resolution, generator=generator, dtype=torch.float64)
    return shared.run(blueprint, x.to(dtype))


@pytest.mark.parametrize("name", spaces.names())
def test_the_largest_network_of_every_choice_of_operators_gives_the_same_output(name) -> None:
    shared = random_weights(name)
    choices = max((len(knob.values) for knob in shared.space.knobs if not knob.ordered), default=1)
    largest = covering_set(shared.space)[:choices]
    before = [outputs(shared, each) for each in largest]
    unsorted = {key: tensor.detach().clone() for key, tensor in shared.tensors.items()}
    sorting = sort_channels(shared)
    for each, expected in zip(largest, before, strict=True):
        assert bool(expected.isfinite().all())
        found = outputs(shared, each)
        assert torch.allclose(found, expected, rtol=1e-12, atol=1e-12 * float(expected.abs().max()))
    moved = {key for key, tensor in shared.tensors.items() if not torch.equal(tensor, unsorted[key])}
    assert bool(moved) == bool(sorting.groups)


@pytest.mark.parametrize("name", SOME)
def test_in_float32_it_is_the_same_within_1e_5(name) -> None:
    shared = random_weights(name, torch.float32)
    before = outputs(shared, shared.space.largest())
    sort_channels(shared)
    after = outputs(shared, shared.space.largest())
    assert torch.allclose(after, before, rtol=1e-5, atol=1e-5 * float(before.abs().max()))


def test_readers_are_in_descending_order_of_their_norm() -> None:
    shared = random_weights("ofa_mobilenet")
    sort_channels(shared)
    norms = shared.tensors["stage2.block1.mbconv.project.conv.weight"].detach().abs().sum((0, 2, 3))
    assert (norms.diff() <= 0).all()
    shared = random_weights("autoformer")
    projection = shared.tensors["stage1.block1.relative_transformer.attention.projection.weight"]
    heads = shared.space.knobs[shared.space.column["block1.heads"]].values[-1]
    sort_channels(shared)
    norms = projection.detach().reshape(len(projection), heads, -1).abs().sum((0, 2))
    assert len(norms) > 1
    assert (norms.diff() <= 0).all()


def test_sorting_twice_is_sorting_once() -> None:
    shared = random_weights("ofa_mobilenet")
    first = sort_channels(shared)
    once = {key: tensor.detach().clone() for key, tensor in shared.tensors.items()}
    assert sort_channels(shared) == first
    assert all(torch.equal(tensor, once[key]) for key, tensor in shared.tensors.items())


def test_other_tensors_of_the_same_names_move_alike() -> None:
    shared = random_weights("resnet")
    average = {key: 2 * tensor.detach() for key, tensor in shared.tensors.items()}
    sort_channels(shared, average)
    assert all(torch.equal(average[key], 2 * tensor) for key, tensor in shared.tensors.items())


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_in_the_middle_of_training_average_and_moments_move_alike(optimiser) -> None:
    made = trainer(transformers(), optimiser=optimiser)
    for step in range(3):
        made.step(step)
    before = {name: tensor.clone() for name, tensor in made.state().items()}
    assert sort_in_training(made.shared, made.average, made.optimiser).groups
    name = "stage1.block1.relative_transformer.reduce.weight"
    order = before[f"weights/{name}"].abs().sum(0).argsort(descending=True, stable=True)
    assert not torch.equal(order, order.sort().values)
    keys = [key for key in before if key.endswith(name) and before[key].ndim]
    assert len(keys) == (4 if optimiser == "adamw" else 3)
    for key in keys:
        assert torch.equal(made.state()[key], before[key][:, order]), key


def test_a_small_network_takes_the_important_channels() -> None:
    """Where a few hidden channels do all the work, half of them are enough once they stand first."""
    shared = random_weights("ofa_mobilenet")
    with torch.no_grad():
        for key, tensor in shared.tensors.items():
            if key.endswith("mbconv.project.conv.weight"):
                tensor[:, : tensor.shape[1] // 2] *= 1e-6
    made = shared.space
    largest = dict(made.largest().values)
    half = made.architecture(
        {k: made.knobs[made.column[k]].values[0] if "expansion" in k else v for k, v in largest.items()}
    )
    whole, cut = outputs(shared, made.largest()), outputs(shared, half)
    sort_channels(shared)
    sorted_cut = outputs(shared, half)
    assert (sorted_cut - whole).abs().mean() < 0.5 * (cut - whole).abs().mean()


def test_what_is_left_alone_is_named() -> None:
    sorting = sort_channels(random_weights("osnet"))
    assert sorting.groups == ()
    assert {place.rpartition(".")[2] for place in sorting.left_alone} == {
        "osnet_stem",
        "osnet_block",
        "osnet_transition",
        "osnet_head",
    }
    sorting = sort_channels(random_weights("ofa_mobilenet"))
    assert "stem.conv_stem" in sorting.left_alone
    assert "stage2.block1.mbconv.hidden" in sorting.groups
    assert "stage2.block1.mbconv" not in sorting.left_alone


def test_a_group_that_some_network_lacks_is_left_alone() -> None:
    """RegNet's dense layers read channels that its choices of group width read in groups."""
    sorting = sort_channels(random_weights("regnet"))
    assert not any(name.endswith((".inner", ".reduced")) for name in sorting.groups)
    assert any(name.endswith("squeezed") for name in sorting.groups)


def test_training_sorts_once_at_its_step_and_a_resumed_run_alike() -> None:
    straight, resumed, never = (trainer(transformers(), sort_channels_at=at) for at in (0.5, 0.5, None))
    at = straight.num_steps // 2
    for step in range(at):
        straight.step(step), never.step(step)
    assert same_state(straight, never)
    resumed.load({name: tensor.clone() for name, tensor in straight.state().items()})
    straight.step(at), resumed.step(at), never.step(at)
    assert same_state(straight, resumed)
    assert not same_state(straight, never)


def test_a_share_of_training_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="sort_channels_at"):
        settings(sort_channels_at=1.0)
