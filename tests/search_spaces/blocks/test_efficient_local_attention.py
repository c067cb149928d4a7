from __future__ import annotations

import pytest
import torch

from search_spaces.blocks.efficient_local_attention import EfficientLocalAttention
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total
from search_spaces.testing_blocks import fill


@pytest.mark.parametrize(("kernel", "conv_width"), [(5, 1), (7, 1), (5, 8), (7, 8)])
def test_parameters_are_of_one_convolution_and_one_norm(kernel: int, conv_width: int) -> None:
    """C k C / groups + 2 C, shared by both axes."""
    width = 16
    gate = EfficientLocalAttention(width, kernel, conv_width)
    groups = width // conv_width
    assert sum(parameter.numel() for parameter in gate.parameters()) == width * kernel * width // groups + 2 * width
    found = total(EfficientLocalAttention.layers(width, (6, 3), kernel, conv_width), "fvcore")
    assert (found.params, found.macs, found.activations) == fvcore_totals(gate, torch.zeros(1, width, 6, 3))


def test_the_gate_is_a_product_of_one_of_rows_and_one_of_columns() -> None:
    gate = EfficientLocalAttention(8).double()
    fill(gate, torch.Generator().manual_seed(0))
    x = torch.rand(1, 8, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.1
    with torch.no_grad():
        ratio = (gate(x) / x)[0]
    assert ((ratio > 0) & (ratio < 1)).all()
    assert (torch.linalg.matrix_rank(ratio, rtol=1e-9) == 1).all()


def test_widths_that_are_not_allowed() -> None:
    with pytest.raises(UsageError, match="attention 'ela' got width 12: allowed: multiples of 8"):
        EfficientLocalAttention(12)
