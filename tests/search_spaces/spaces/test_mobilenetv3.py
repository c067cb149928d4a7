from __future__ import annotations

from math import prod

import pytest

from search_spaces.blocks.mbconv import hidden_width
from search_spaces.networks import network
from search_spaces.spaces import space


@pytest.mark.parametrize(("form", "depths"), [("large", (2, 3, 4, 2, 3)), ("small", (2, 3, 2, 3))])
def test_the_number_of_networks(form: str, depths: tuple[int, ...]) -> None:
    expected = 4 * 2 * prod(sum(15**depth for depth in range(1, most + 1)) for most in depths)
    assert space("mobilenetv3", form=form).size() == expected


def test_hidden_widths_are_the_papers() -> None:
    """Table 1 (large) of Howard et al. 2019, column "exp size"."""
    blocks = [block for block in network("mobilenetv3_large_100").placed() if block.kind == "mbconv"]
    found = [hidden_width(block.in_width, float(block.arguments["expansion"])) for block in blocks]
    assert found == [16, 64, 72, 72, 120, 120, 240, 200, 184, 184, 480, 672, 672, 960, 960]


def test_minimalistic_networks_have_one_kernel_and_no_gates() -> None:
    minimal = network("tf_mobilenetv3_small_minimal_100")
    blocks = [block for stage in minimal.stages for block in stage.blocks]
    assert {block.get("kernel", 0) for block in blocks} == {3}
    assert not any(block.get("squeeze_excite", True) for block in blocks)
