"""Once-for-All ProxylessNAS and ResNet50-D, AttentiveNAS and AlphaNet against published counts."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network, networks

# Source: reference/spaces.md F3. Parameters that are used (without those of identity shortcuts), MACs.
ALPHANET = {
    "a0": (8_954_184, 203_389_568),
    "a1": (9_452_872, 279_238_816),
    "a6": (15_154_792, 709_007_232),
}
# Source: Wang et al. 2021 (AttentiveNAS), table 1: million MACs.
ATTENTIVENAS_MILLIONS = {"a0": 203, "a1": 279, "a2": 317, "a3": 357, "a4": 444, "a5": 491, "a6": 709}


@pytest.mark.parametrize("paper", ["attentivenas", "alphanet"])
@pytest.mark.parametrize("suffix", ALPHANET)
def test_attentivenas_and_alphanet(paper: str, suffix: str) -> None:
    counted = cost(network(f"{paper}_{suffix}"))
    assert (counted.params, counted.macs) == ALPHANET[suffix]


@pytest.mark.parametrize("suffix", ATTENTIVENAS_MILLIONS)
def test_attentivenas_to_the_million(suffix: str) -> None:
    assert round(cost(network(f"attentivenas_{suffix}")).macs / 1e6) == ATTENTIVENAS_MILLIONS[suffix]


def test_the_largest_network_of_attentivenas() -> None:
    """Source: spaces.md F3: 1939.336 million MACs at 288 pixels."""
    counted = cost(network("alphanet_max"))
    assert (counted.params, round(counted.macs / 1e3)) == (23_404_080, 1_939_336)


# Source: mit-han-lab/once-for-all, README: million parameters to a tenth, million MACs.
OFA_SPECIALISED = {"1080ti_12ms": (5.9, 165), "v100_11ms": (6.2, 352), "tx2_96ms": (6.2, 349), "tx2_35ms": (4.3, 121)}


@pytest.mark.parametrize("suffix", OFA_SPECIALISED)
def test_specialised_networks_as_rounded(suffix: str) -> None:
    counted = cost(network(f"ofa_proxyless_{suffix}"))
    assert (round(counted.params / 1e6, 1), round(counted.macs / 1e6)) == OFA_SPECIALISED[suffix]


def test_ofa_proxyless_to_the_thousand() -> None:
    """Source: spaces.md F2: 6.196 million parameters, 351.765 million MACs at 192 pixels."""
    counted = cost(network("ofa_proxyless_v100_11ms"))
    assert (round(counted.params / 1e3), round(counted.macs / 1e3)) == (6_196, 351_765)


def test_ofa_resnet50d_is_resnet50d() -> None:
    """Source: spaces.md F6, resnet50d: the stem's residual adds neither parameters nor MACs."""
    counted = cost(network("ofa_resnet50d"))
    assert (counted.params, counted.macs) == (25_576_264, 4_328_824_832)


@pytest.mark.parametrize("name", ["alphanet_a0", "ofa_proxyless_min", "ofa_resnet50d_min"])
def test_fvcores_own_totals(name: str) -> None:
    blueprint = network(name, resolution=48)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_alphanets_own_a5() -> None:
    """Source: facebookresearch/AlphaNet, configs/eval_alphanet_models.yml."""
    names = [name for name in networks.names() if name.startswith("alphanet_a5")]
    assert names == ["alphanet_a5_base", "alphanet_a5_small"]
