from __future__ import annotations

from math import prod

from search_spaces.networks import network
from search_spaces.spaces import space


def test_the_number_of_networks() -> None:
    """Stage 1 has a depth alone; the others two kernels and two expansions a block."""
    depths = ((2, 3), (2, 3), (3, 4, 5), (5, 6, 7), range(8, 13))
    assert space("efficientnetv2").size() == 5 * 3 * 2 * prod(sum(4**depth for depth in each) for each in depths)


def test_widths_go_to_the_nearest_multiple_of_eight() -> None:
    assert [stage.width for stage in network("tf_efficientnetv2_b3").stages] == [16, 40, 56, 112, 136, 232]
