from __future__ import annotations

from math import prod

from search_spaces.networks import network
from search_spaces.spaces import space


def test_the_number_of_networks() -> None:
    """Resolutions x multipliers x (sum over depths of (kernels x expansions) ** depth) for each searched stage."""
    expected = 5 * 5 * prod(sum(9**depth for depth in range(1, most + 1)) for most in (2, 3, 4, 3, 3, 1))
    assert space("mobilenetv2").size() == expected


def test_the_head_grows_with_the_multiplier_and_never_shrinks() -> None:
    widths = [network(f"mobilenetv2_{n}").head.blocks[0].get("expand_width", 0) for n in ("035", "100", "140")]
    assert widths == [1280, 1280, 1792]


def test_deepened_networks_keep_stem_and_head() -> None:
    deep = network("mobilenetv2_120d")
    assert (deep.stem.width, deep.head.blocks[0].get("expand_width", 0)) == (32, 1280)
    assert [stage.depth for stage in deep.stages] == [1, 3, 5, 6, 5, 5, 1]
