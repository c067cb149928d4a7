"""Every rule on every family: it gives a network whose blocks can stand, or says why it does not fit."""

import numpy as np
import pytest
import torch
from rules_anywhere import ANYWHERE

from scaling.rule import RULES, scaling_rule
from scaling.scaled import ScaledBlueprint
from scaling.solve import scale
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.building import assemble, build
from search_spaces.errors import UsageError
from search_spaces.spaces import space as space_of
from search_spaces.spaces import spaces

NO_CHANGE = "rounds back to the same network"


def outcome(name: str, blueprint: Blueprint, factor: float) -> ScaledBlueprint | str:
    """Return the scaled network, or what the refusal says."""
    try:
        return scale(scaling_rule(name), blueprint, factor)
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize("family", spaces.names())
def test_every_rule_scales_it_or_says_why_not(family: str) -> None:
    space = space_of(family)
    architectures = [space.largest(), *space.decode(space.sample(np.random.default_rng(3), 1))]
    for name in RULES.names():
        for blueprint in map(space.blueprint, architectures):
            for factor in (0.4, 2, 4):
                scaled = outcome(name, blueprint, factor)
                if isinstance(scaled, str):
                    assert NO_CHANGE in scaled or (name not in ANYWHERE and f"{name!r} does not fit family" in scaled)
                else:
                    assert scaled.cost(cost).macs > 0
                    assert scaled.blueprint.num_classes == blueprint.num_classes


@pytest.mark.parametrize("family", spaces.names())
def test_what_was_counted_is_built(family: str) -> None:
    space = space_of(family, form="small_image")
    blueprint = space.blueprint(space.largest())
    for name in ("fast", "dr", "resnet_rs"):
        scaled = scale(scaling_rule(name), blueprint, 3).blueprint
        assert sum(each.numel() for each in assemble(scaled, "meta").parameters()) == cost(scaled).params


@pytest.mark.parametrize("family", spaces.names())
def test_a_scaled_network_runs(family: str) -> None:
    space = space_of(family, form="small_image", num_classes=3)
    scaled = scale(scaling_rule("dwr"), space.blueprint(space.smallest()), 4).blueprint
    images = torch.zeros(1, scaled.in_channels, *scaled.resolution)
    assert build(scaled).eval()(images).shape == (1, 3)
