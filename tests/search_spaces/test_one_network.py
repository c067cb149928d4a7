from __future__ import annotations

import numpy as np
import pytest
import torch

from search_spaces.block import cost
from search_spaces.building import build
from search_spaces.one_network import OneNetwork
from search_spaces.population import PopulationCost
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space


@pytest.mark.parametrize("name", ["ofa_mobilenet", "autoformer"])
def test_its_shared_weights_are_the_network_alone(name: str) -> None:
    found = space(name, form="small_image", num_classes=5)
    architecture = found.decode(found.sample(np.random.default_rng(1), 1))[0]
    only = OneNetwork(found, architecture)
    assert only.size() == 1
    assert only.smallest() == only.largest()
    blueprint = only.blueprint(only.largest())
    assert blueprint == found.blueprint(architecture)
    shared, alone = SharedWeights(only, seed=3), dict(build(blueprint, seed=3).named_parameters())
    assert shared.tensors.keys() == alone.keys()
    for tensor_name, tensor in shared.tensors.items():
        assert torch.equal(tensor, alone[tensor_name]), tensor_name
    counted = PopulationCost(only).counts(only.encode([only.largest()]))[0]
    expected = cost(blueprint)
    assert counted.tolist() == [expected.params, expected.macs, expected.activations]


def test_a_draw_is_that_network() -> None:
    found = space("ofa_mobilenet", form="small_image")
    only = OneNetwork(found, found.smallest())
    drawn = only.decode(only.sample(np.random.default_rng(0), 3))
    assert drawn == [only.largest()] * 3
    assert drawn[0].choices == found.smallest().choices
