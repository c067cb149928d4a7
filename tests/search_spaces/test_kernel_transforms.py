"""Learned kernel transforms are one more view: exact inside and alone, at first the centre, and free of cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from search_spaces.block import block_layers, cost, module_of
from search_spaces.errors import UsageError
from search_spaces.kernel_transforms import matrices
from search_spaces.layout import Plain, transformed
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space
from search_spaces.testing import check_covering, check_gradients, check_outputs, check_space, example, shaken
from search_spaces.testing_blocks import check_block, place

NAME = "stage2.block1.mbconv.depthwise.conv.weight"


def ofa(name: str = "ofa_mobilenet", transforms: bool = True) -> SearchSpace:
    return space(name, form="small_image", in_channels=1, num_classes=10, kernel_transform=transforms)


def three_kernels(transforms: bool = True) -> tuple[SearchSpace, SharedWeights]:
    """The published form, whose kernels are 3, 5 and 7, at a resolution that runs in a moment."""
    found = space(
        "ofa_mobilenet", num_classes=10, resolutions=(32,), width_multipliers=(0.25,), kernel_transform=transforms
    )
    return found, SharedWeights(found)


def with_kernel(found: SearchSpace, kernel: int) -> dict[str, int | float | str]:
    values = dict(found.smallest().values)
    return {**values, "stage2.block1.kernel": kernel}


@pytest.mark.parametrize("name", ["ofa_mobilenet", "ofa_proxyless"])
def test_the_contract_of_a_space_holds(name: str) -> None:
    check_space(ofa(name), num=10)


def test_the_chain_of_three_kernels_is_exact() -> None:
    _, shared = three_kernels()
    shaken(shared, 0)
    check_covering(shared, 50)
    check_outputs(shared, 4)
    check_gradients(shared, 2)
    assert {name.removeprefix(NAME) for name in shared.tensors if name.startswith(NAME)} == {"", ".to5", ".to3"}


def test_the_small_kernel_by_its_definition() -> None:
    found, shared = three_kernels()
    shaken(shared, 0)
    blueprint = found.blueprint(found.architecture(with_kernel(found, 3)))
    kernel, to5, to3 = (shared.tensors[NAME + end].detach() for end in ("", ".to5", ".to3"))
    part = shared.parts(blueprint, shared.tensors)[NAME]
    for channel in range(len(part)):
        five = (to5 @ kernel[channel, 0, 1:6, 1:6].reshape(25)).view(5, 5)
        three = (to3 @ five[1:4, 1:4].reshape(9)).view(3, 3)
        torch.testing.assert_close(part[channel, 0], three)


def test_at_first_it_is_the_centre() -> None:
    networks = []
    for transforms in (False, True):
        found, shared = three_kernels(transforms)
        blueprint = found.blueprint(found.smallest())
        networks.append(shared.run(blueprint, example(blueprint, 2, 0)))
    torch.testing.assert_close(*networks)


@pytest.mark.parametrize(("kernel", "learn"), [(7, []), (5, [".to5"]), (3, [".to5", ".to3"])])
def test_gradients_are_zero_outside_the_support(kernel: int, learn: list[str]) -> None:
    """A kernel of 5 sees the centre of 7 alone, one of 3 through a matrix that mixes all of that centre."""
    found, shared = three_kernels()
    shaken(shared, 0)
    blueprint = found.blueprint(found.architecture(with_kernel(found, kernel)))
    torch.autograd.backward(shared.run(blueprint, example(blueprint, 2, 0)).square().sum())
    gradient = shared.tensors[NAME].grad
    assert gradient is not None
    ring = gradient.clone()
    ring[..., 1:6, 1:6] = 0
    assert bool(gradient[..., 1:6, 1:6].any())
    assert bool(ring.any()) == (kernel == 7)
    assert [end for end in (".to5", ".to3") if shared.tensors[NAME + end].grad is not None] == learn


def test_networks_cost_the_same() -> None:
    with_it, without = ofa(), ofa(transforms=False)
    genes = with_it.sample(np.random.default_rng(0), 20)
    for one, other in zip(with_it.decode(genes), without.decode(genes), strict=True):
        assert cost(with_it.blueprint(one), "fvcore") == cost(without.blueprint(other), "fvcore")


def test_the_block_is_nested_and_counted() -> None:
    small, large = (
        place("mbconv", width, width, (7, 7), kernel=kernel, expansion=3, kernel_transform=True)
        for width, kernel in ((8, 3), (16, 7))
    )
    check_block(small, large)


def test_a_kernel_that_no_matrix_leads_to() -> None:
    placed = place("mbconv", 8, 8, (4, 4), kernel=1, expansion=2, kernel_transform=True)
    assert block_layers(placed)
    with pytest.raises(UsageError, match="kernel got 1 with kernel_transform: allowed: 3 or more"):
        module_of(placed)


def test_only_transformed_kernels_have_matrices() -> None:
    assert matrices("weight", (Plain(8), Plain(1), Plain(7, "centre"), Plain(7, "centre"))) == ()
    assert matrices("weight", (Plain(8), Plain(1), transformed(7), transformed(7)), 5) == ((5, "weight.to5"),)
