from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from experiments.masked import masked_network, widest
from search_spaces.block import cost
from search_spaces.building import set_mode
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space
from search_spaces.testing import example

CASES: list[tuple[str, dict[str, Any]]] = [
    ("ofa_mobilenet", {"form": "small_image", "num_classes": 7}),
    ("autoformer", {"form": "small_image", "num_classes": 7}),
]


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_masked_it_computes_what_the_network_alone_computes(name: str, settings: dict[str, Any], seed: int) -> None:
    found = space(name, **settings)
    shared = SharedWeights(found, seed)
    architecture = found.decode(found.sample(np.random.default_rng(seed), 1))[0]
    blueprint = found.blueprint(architecture)
    alone = shared.extract(blueprint, statistics=shared.new_statistics(blueprint))
    set_mode(alone, "train")
    masked, x = masked_network(shared, architecture), example(blueprint, 4, seed)
    expected, given = alone(x), masked(x)
    assert expected.isfinite().all()
    torch.testing.assert_close(given, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_widest_network_has_the_same_blocks_and_more_work(name: str, settings: dict[str, Any]) -> None:
    found = space(name, **settings)
    small = found.smallest()
    large = widest(found, small)
    blueprints = [found.blueprint(each) for each in (small, large)]
    assert blueprints[0].resolution == blueprints[1].resolution
    assert [p.name for p in blueprints[0].placed()] == [p.name for p in blueprints[1].placed()]
    assert cost(blueprints[1]).macs > 2 * cost(blueprints[0]).macs
    assert widest(found, large) == large
    assert widest(found, found.largest()) == found.largest()
