from __future__ import annotations

import pytest
import torch

from search_spaces.blocks.dilated_depthwise import BRANCHES, SMALL_KERNELS, depthwise_layers, depthwise_module
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total
from search_spaces.reparameterise import merge
from search_spaces.testing_blocks import fill

KERNELS = (*SMALL_KERNELS, *BRANCHES)


@pytest.mark.parametrize("kernel", KERNELS)
def test_merging_changes_nothing(kernel: int) -> None:
    module = depthwise_module(6, kernel).eval()
    fill(module, torch.Generator().manual_seed(kernel))
    x = torch.randn(2, 6, 9, 11, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = module(x), merge(module)(x)
    assert float((before - after).abs().max() / before.abs().max()) < 1e-5


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_closed_form_is_fvcores_count(kernel: int) -> None:
    module, x = depthwise_module(6, kernel).eval(), torch.zeros(1, 6, 9, 11)
    for merged, form in ((False, module), (True, merge(module))):
        found = total(depthwise_layers(6, kernel, (9, 11), merged), "fvcore")
        assert (found.params, found.macs, found.activations) == fvcore_totals(form, x)


@pytest.mark.parametrize("kernel", BRANCHES)
def test_no_branch_is_larger_than_the_kernel(kernel: int) -> None:
    assert all(dilation * (size - 1) + 1 <= kernel for dilation, size in BRANCHES[kernel].items())


def test_a_kernel_without_branches_of_its_own_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="kernel got 19: allowed: 3, 5, 7, 9, 11, 13, 15, 17"):
        depthwise_module(6, 19)
