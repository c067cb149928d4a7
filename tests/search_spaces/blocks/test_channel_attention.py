from __future__ import annotations

import pytest
import torch

from search_spaces.attention_names import ATTENTION_NAMES
from search_spaces.blocks.channel_attention import channel_attention, channel_attention_layers, eca_kernel
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total


@pytest.mark.parametrize("kind", ATTENTION_NAMES)
def test_the_closed_form_is_fvcores_count(kind: str) -> None:
    gate = channel_attention(kind, 24, 6)
    found = total(channel_attention_layers(kind, 24, 6, (5, 3)), "fvcore")
    assert (found.params, found.macs, found.activations) == fvcore_totals(gate, torch.zeros(1, 24, 5, 3))


@pytest.mark.parametrize("kind", ["se", "ese", "eca"])
def test_a_gate_scales_each_channel_by_0_to_1(kind: str) -> None:
    x = torch.rand(2, 16, 3, 3, generator=torch.Generator().manual_seed(0)) + 0.1
    ratio = channel_attention(kind, 16, 4)(x) / x
    assert (ratio >= 0).all()
    assert (ratio <= 1).all()
    torch.testing.assert_close(ratio, ratio.mean((2, 3), keepdim=True).expand_as(ratio))


def test_the_kernels_of_eca_resnet_50() -> None:
    """The formula of the paper (equation 12) gives 5, 5, 5, 7 for the widths of ResNet-50's stages."""
    assert [eca_kernel(width) for width in (8, 64, 256, 512, 1024, 2048)] == [3, 3, 5, 5, 5, 7]


def test_an_unknown_kind_lists_close_ones() -> None:
    with pytest.raises(
        UsageError, match=r"unknown channel attention 'esee': did you mean 'ese'.*allowed: eca, ela, ese, none"
    ):
        channel_attention("esee", 8, 2)
