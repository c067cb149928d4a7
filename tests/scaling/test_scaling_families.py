"""Rules on networks of the real spaces: what they give can be counted, built and run."""

import math

import numpy as np
import pytest
import torch
from rules_anywhere import ANYWHERE

from scaling.rule import scaling_rule
from scaling.solve import solve
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.building import build
from search_spaces.spaces import space as space_of

SPACES = {"ofa_mobilenet": {"form": "imagenet"}, "autoformer": {"form": "tiny"}}


def network_of(name: str, settings: dict[str, object]) -> Blueprint:
    space = space_of(name, **settings)
    genes = space.sample(np.random.default_rng(7), 1)
    return space.blueprint(space.decode(genes)[0])


@pytest.mark.parametrize("name", ANYWHERE)
@pytest.mark.parametrize("space", SPACES)
def test_solved_macs_are_near_what_was_asked(name: str, space: str) -> None:
    base = network_of(space, SPACES[space])
    solution = solve(scaling_rule(name), base, 3, cost)
    assert math.isclose(solution.achieved.macs, 3, rel_tol=0.15)
    assert solution.achieved.params >= 1


@pytest.mark.parametrize("factor", [0.3, 4])
@pytest.mark.parametrize("name", ["fast", "dwr", "efficientnet"])
@pytest.mark.parametrize("space", SPACES)
def test_scaled_networks_run(space: str, name: str, factor: float) -> None:
    small = network_of(space, {"form": "small_image", "num_classes": 5})
    scaled = scaling_rule(name)(small, factor).blueprint
    network = build(scaled)
    assert network(torch.zeros(2, scaled.in_channels, *scaled.resolution)).shape == (2, 5)
    assert sum(parameter.numel() for parameter in network.parameters()) == cost(scaled).params
