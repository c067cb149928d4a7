"""LSNet against published counts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from search_spaces.block import cost
from search_spaces.building import build
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network
from search_spaces.reparameterise import merge
from search_spaces.testing_blocks import fill


def test_the_smallest_as_fvcore_counts_it() -> None:
    """fvcore on THU-MIG/lsnet's network at 224 pixels: 319 million MACs, 1.58 million activations."""
    counted = cost(network("lsnet_t"), "fvcore")
    found = (counted.params, round(counted.macs / 1e6), round(counted.activations / 1e4))
    assert found == (11_409_832, 319, 158)


@pytest.mark.parametrize(("name", "macs"), [("lsnet_s", 542), ("lsnet_b", 1_255)])
def test_macs_of_the_other_sizes(name: str, macs: int) -> None:
    """The same count, in millions."""
    assert round(cost(network(name), "fvcore").macs / 1e6) == macs


def test_the_closed_form_is_fvcores_own_count() -> None:
    blueprint = network("lsnet_t", resolution=72)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


@pytest.mark.parametrize(("name", "millions"), [("lsnet_t", 11.4), ("lsnet_s", 16.1), ("lsnet_b", 23.2)])
def test_params_of_the_deployed_networks(name: str, millions: float) -> None:
    """Table 1 counts networks that are merged and whose other norms are folded: LSNet-B has 23.3 million before.

    A folded norm leaves a bias of its convolution; the one before the classifier leaves nothing.
    """
    merged = merge(build(network(name)).eval())
    params = sum(parameter.numel() for parameter in merged.parameters())
    for module in merged.modules():
        if isinstance(module, nn.BatchNorm2d):
            params -= module.num_features
        elif isinstance(module, nn.BatchNorm1d):
            params -= 2 * module.num_features
    assert round(params / 1e6, 1) == millions


def test_merging_a_network_changes_nothing() -> None:
    trained = build(network("lsnet_t", resolution=64, num_classes=10)).eval()
    fill(trained, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, parameter in trained.named_parameters():
            if "norm.weight" in name:
                parameter.mul_(0.5)  # keeps the sum of 20 residual blocks near 1
        x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        before, after = trained(x), merge(trained)(x)
    assert bool(before.isfinite().all())
    assert float((before - after).abs().max() / before.abs().max()) < 1e-5
