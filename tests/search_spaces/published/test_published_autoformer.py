"""AutoFormer's networks, supernetworks and the ends of its spaces against published counts."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.networks import network
from search_spaces.spaces import space


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [("tiny", 5_867_944, 1_481_938_432), ("small", 22_891_432, 5_161_400_832)],
)
def test_networks_of_the_search(name: str, params: int, macs: int) -> None:
    """reference/spaces.md F4, with relative positions."""
    counted = cost(network(f"autoformer_{name}"))
    assert (counted.params, counted.macs) == (params, macs)


def test_the_base_network_as_its_paper_rounds_it() -> None:
    """Chen et al. 2021, table 3: 54 M parameters, 11 GFLOPs."""
    counted = cost(network("autoformer_base"))
    assert round(counted.params / 1e6) == 54
    assert round(counted.macs / 1e9) == 12
    assert round(_without_positions(counted.macs) / 1e9) == 11


def _without_positions(macs: int) -> int:
    """MACs without the two products of 197 x 197 x 64 x heads of relative positions of each block."""
    return macs - 2 * 197 * 197 * 64 * sum((9, 9, 9, 9, 9, 10, 9, 9, 10, 9, 10, 9, 9, 10))


@pytest.mark.parametrize(
    ("form", "width", "heads", "depth"), [("tiny", 256, 4, 14), ("small", 448, 7, 14), ("base", 640, 10, 16)]
)
def test_supernetworks_by_the_tensors_of_their_code(form: str, width: int, heads: int, depth: int) -> None:
    """reference/spaces.md F4: the formula gives 11,669,224 and 34,790,440 for tiny and small."""
    found = space("autoformer", form=form, widths=(width,), heads=(heads,), depths=(depth,))
    counted = cost(found.blueprint(found.largest())).params
    assert counted == _params(width, 64 * heads, 4 * width, depth)
    assert counted == {"tiny": 11_669_224, "small": 34_790_440}.get(form, counted)


def _params(width: int, inner: int, hidden: int, depth: int) -> int:
    attention = width * 3 * inner + 3 * inner + inner * width + width + 4 * 30 * 64
    block = 4 * width + attention + width * hidden + hidden + hidden * width + width
    return 768 * width + 2 * width + 197 * width + depth * block + 2 * width + 1000 * width + 1000


def test_the_ends_of_the_base_space() -> None:
    found = space("autoformer", form="base")
    least, most = (cost(found.blueprint(each)).params for each in (found.smallest(), found.largest()))
    assert least == _params(528, 64 * 9, 3 * 528, 14)
    assert most == _params(624, 64 * 10, 4 * 624, 16)
