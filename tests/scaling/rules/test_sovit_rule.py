import math

import pytest

from scaling.rule import scaling_rule
from scaling.rules.sovit import shape_factors
from scaling.solve import solve
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network


def test_the_mlp_grows_fastest_then_depth_then_width() -> None:
    factors, mlp = shape_factors(10)
    assert mlp > factors.depth > factors.width > 1
    assert math.log(mlp) / math.log(factors.depth) == pytest.approx(0.60 / 0.45)
    assert math.log(factors.width) / math.log(factors.depth) == pytest.approx(0.22 / 0.45)


def test_the_published_shapes_are_near_the_rule() -> None:
    """From 150m (880, 18, 2320) to 400m (1152, 27, 4304): near, for the authors' own shapes are off their rule."""
    step = math.log(27 / 18) / 0.45
    assert math.log(1152 / 880) / 0.22 == pytest.approx(step, rel=0.4)
    assert math.log(4304 / 2320) / 0.60 == pytest.approx(step, rel=0.2)


@pytest.mark.parametrize("name", ["vit_base_patch16_224", "autoformer_tiny", "swin_tiny_patch4_window7_224"])
def test_achieved_macs_are_near_the_law(name: str) -> None:
    base = network(name)
    scaled = scaling_rule("sovit")(base, 4)
    assert cost(scaled.blueprint).macs / cost(base).macs == pytest.approx(4, rel=0.2)
    assert dict(scaled.details)["mlp"] > scaled.factors.depth
    assert solve(scaling_rule("sovit"), base, 3, cost).achieved.macs == pytest.approx(3, rel=0.1)


def test_the_mlp_of_a_vit_by_its_own_factor() -> None:
    block = network("vit_base_patch16_224").stages[0].blocks[0]
    scaled = scaling_rule("sovit")(network("vit_base_patch16_224"), 4).blueprint.stages[0]
    factors, mlp = shape_factors(4)
    assert scaled.width == round(768 * factors.width / 8) * 8
    assert scaled.blocks[0].get("mlp_width", 0) == round(int(block.get("mlp_width", 0)) * mlp / 8) * 8
    assert scaled.depth == round(12 * factors.depth)


def test_networks_without_mlp_are_refused() -> None:
    with pytest.raises(UsageError, match=r"rule 'sovit' does not fit family 'resnet': it scales MLPs"):
        scaling_rule("sovit")(network("resnet50"), 2)
