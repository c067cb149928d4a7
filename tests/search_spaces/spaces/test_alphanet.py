from __future__ import annotations

from math import prod

import pytest

from search_spaces.networks import network
from search_spaces.published.alphanet import NETWORKS
from search_spaces.sharing import SharedWeights, covering_set
from search_spaces.spaces import space


def test_the_number_of_networks() -> None:
    """Per stage widths x depths x kernels x expansions, times resolutions and widths of stem and head."""
    per_stage = (2 * 2 * 2, 2 * 3 * 2 * 3, 2 * 4 * 2 * 3, 2 * 4 * 2 * 3, 3 * 6 * 2 * 3, 4 * 6 * 2, 2 * 2 * 2)
    assert space("alphanet").size() == 4 * 2 * prod(per_stage) * 2


@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_are_members(name: str) -> None:
    found = space("alphanet")
    side, widths, kernels, expansions, depths = NETWORKS[name]
    values: dict[str, int | float | str] = {"resolution": side, "width": 1.0}
    values |= {"stem.width": widths[0], "head.width": widths[-1]}
    for number in range(1, 8):
        chosen = (widths[number], kernels[number - 1], expansions[number - 1], depths[number - 1])
        for knob, value in zip(("width", "kernel", "expansion", "depth"), chosen, strict=True):
            if f"stage{number}.{knob}" in found.column:
                values[f"stage{number}.{knob}"] = value
    assert found.blueprint(found.architecture(values)) == network(name)


def test_the_ends_of_the_space_are_published_networks() -> None:
    found = space("alphanet")
    assert found.blueprint(found.largest()) == network("alphanet_max")
    assert found.blueprint(found.smallest()) == network("alphanet_a0")


def test_a_projection_that_the_largest_network_lacks_is_covered() -> None:
    """Stem 24 into stage 24 needs none, stem 16 into 24 and 24 into 16 do."""
    found = space("alphanet", form="small_image", in_channels=1, num_classes=3)
    assert len(covering_set(found)) > 1
    shape = SharedWeights(found).tensors["stage1.block1.mbconv.shortcut.conv.weight"].shape
    assert shape == (16, 16, 1, 1)


def test_every_block_has_a_shortcut() -> None:
    blocks = [block for stage in network("alphanet_a0").stages for block in stage.blocks]
    assert all(block.get("projection", False) for block in blocks)
