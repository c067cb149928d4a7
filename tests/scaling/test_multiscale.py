import pytest
import torch

from scaling.multiscale import MultiScale, merge, split
from scaling.rule import scaling_rule
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.building import build
from search_spaces.spaces import space


def small(name: str) -> Blueprint:
    found = space(name, form="small_image", num_classes=4)
    return found.blueprint(found.smallest())


@pytest.mark.parametrize("number", [1, 2, 3])
def test_merging_undoes_splitting(number: int) -> None:
    x = torch.rand(2, 3, 6 * number, 4 * number)
    tiles = split(x, number)
    assert tiles.shape == (2 * number**2, 3, 6, 4)
    assert torch.equal(tiles[:2], x[:, :, :6, :4])
    assert torch.equal(merge(tiles, number), x)


@pytest.mark.parametrize("name", ["ofa_mobilenet", "vit", "swin", "vit_resnas"])
def test_it_runs_and_has_the_parameters_that_are_counted(name: str) -> None:
    scaled = scaling_rule("s2")(small(name), 5)
    network = MultiScale(scaled).eval()
    images = torch.randn(3, 3, *scaled.blueprint.resolution)
    assert network(images).shape == (3, 4)
    assert sum(parameter.numel() for parameter in network.parameters()) == scaled.cost(cost).params


def test_one_scale_is_the_plain_network() -> None:
    base = small("vit")
    images = torch.randn(2, 3, *base.resolution)
    alone = MultiScale(scaling_rule("s2")(base, 1)).eval()
    assert torch.equal(alone(images), build(base).eval()(images))


def test_larger_scales_come_after_the_first() -> None:
    base = small("ofa_mobilenet")
    network = MultiScale(scaling_rule("s2")(base, 5)).eval()
    images = torch.randn(2, 3, *base.resolution)
    assert torch.equal(network._at(images, 1), build(base).eval().features(images))
    assert network._at(images, 2).shape == network._at(images, 1).shape
