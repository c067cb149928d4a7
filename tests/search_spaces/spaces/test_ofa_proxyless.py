from __future__ import annotations

from search_spaces.networks import network
from search_spaces.spaces import space


def test_the_number_of_networks() -> None:
    """25 resolutions; five stages of 2 to 4 blocks with 9 choices each, then one block (Cai et al. 2020)."""
    assert space("ofa_proxyless").size() == 25 * (9**2 + 9**3 + 9**4) ** 5 * 9


def test_the_ends_of_the_space_are_the_published_ones() -> None:
    found = space("ofa_proxyless")
    assert found.blueprint(found.largest()) == network("ofa_proxyless_max")
    assert found.blueprint(found.smallest()) == network("ofa_proxyless_min")


def test_widths_are_those_of_the_multiplier() -> None:
    widths = [stage.width for stage in network("ofa_proxyless_max").all_stages()]
    assert widths == [40, 24, 32, 56, 104, 128, 248, 416, 1000]
