from __future__ import annotations

from math import prod

from search_spaces.networks import network
from search_spaces.spaces import space


def test_the_number_of_networks() -> None:
    """Resolutions x multipliers x depths of stage 1, then 6 choices a block."""
    depths = ((2, 3), (2, 3), (3, 4, 5), (3, 4, 5), (4, 5, 6), (1, 2))
    assert space("efficientnet").size() == 5 * 3 * 2 * prod(sum(6**depth for depth in each) for each in depths)


def test_depths_and_widths_of_b7() -> None:
    """Published by tensorflow/tpu: multipliers 2.0 and 3.1."""
    b7 = network("efficientnet_b7")
    assert [stage.depth for stage in b7.stages] == [4, 7, 7, 10, 10, 13, 4]
    assert [stage.width for stage in b7.all_stages()] == [64, 32, 48, 80, 160, 224, 384, 640, 1000]
