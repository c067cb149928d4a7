"""UniRepLKNet against published counts, which are of the merged form."""

from __future__ import annotations

import pytest
import torch

from search_spaces.block import cost
from search_spaces.building import assemble, build
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network
from search_spaces.reparameterise import merge
from search_spaces.testing_blocks import fill

# Source: fvcore's counts of AILab-CVC/UniRepLKNet's networks, merged, at 224 pixels: params, million MACs, activations
# in units of 10^4 or 10^5 as given.
COUNTED = {
    "unireplknet_a_deploy": (4_437_300, 640, 406, 1e4),
    "unireplknet_f_deploy": (6_235_216, 906, 488, 1e4),
    "unireplknet_t_deploy": (31_037_980, 4_901, 151, 1e5),
}
# Source: million MACs of the same counts; million parameters of the paper's table 4.
MACS = {"unireplknet_p_deploy": 1_574, "unireplknet_n_deploy": 2_768, "unireplknet_s_deploy": 9_097}
PARAMS = {"unireplknet_b_deploy": 98, "unireplknet_l_deploy": 218, "unireplknet_xl_deploy": 387}


@pytest.mark.parametrize("name", COUNTED)
def test_merged_networks_as_fvcore_counts_them(name: str) -> None:
    counted = cost(network(name), "fvcore")
    unit = COUNTED[name][3]
    assert (counted.params, round(counted.macs / 1e6), round(counted.activations / unit)) == COUNTED[name][:3]


@pytest.mark.parametrize("name", MACS)
def test_macs_of_the_other_sizes(name: str) -> None:
    assert round(cost(network(name), "fvcore").macs / 1e6) == MACS[name]


@pytest.mark.parametrize("name", PARAMS)
def test_params_of_the_large_sizes(name: str) -> None:
    assert round(cost(network(name)).params / 1e6) == PARAMS[name]


def test_the_form_that_trains() -> None:
    """4,649,060 parameters: the official network before its merging."""
    assert cost(network("unireplknet_a")).params == 4_649_060


def test_the_closed_form_is_fvcores_own_count() -> None:
    for name in ("unireplknet_a", "unireplknet_a_deploy"):
        blueprint = network(name, resolution=64)
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_merging_a_network_gives_its_deploy_form_and_the_same_output() -> None:
    trained = build(network("unireplknet_a", resolution=64)).eval()
    with torch.no_grad():
        fill(trained, torch.Generator().manual_seed(0))
        for name, parameter in trained.named_parameters():
            if name.endswith("scale.weight"):
                parameter.mul_(0.1)  # keeps the sum of 12 residual blocks near 1
        x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        before, merged = trained(x), merge(trained)
        after = merged(x)
    assert bool(before.isfinite().all())
    assert float((before - after).abs().max() / before.abs().max()) < 1e-5
    deployed = assemble(network("unireplknet_a_deploy", resolution=64))
    deployed.load_state_dict(merged.state_dict())
    assert torch.equal(deployed.eval()(x), after)
