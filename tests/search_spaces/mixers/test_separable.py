from __future__ import annotations

import pytest
import torch

from search_spaces.mixers.place import Place
from search_spaces.mixers.separable import SeparableKernel
from search_spaces.reparameterise import merge
from search_spaces.testing_blocks import fill


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_the_product_of_the_filters_is_the_two_convolutions(kernel: int) -> None:
    module = SeparableKernel(Place(6, (8, 5), kernel=kernel)).double().eval()
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(2, 6, 8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    merged = merge(module)
    assert isinstance(merged, torch.nn.Conv2d)
    with torch.no_grad():
        torch.testing.assert_close(merged(x), module(x), rtol=1e-12, atol=1e-12)
        assert (torch.linalg.matrix_rank(merged.weight[:, 0]) == 1).all()


def test_the_parameters_are_the_sum_of_the_sides() -> None:
    module = SeparableKernel(Place(6, (8, 5), kernel=7))
    assert sum(parameter.numel() for parameter in module.parameters()) == 6 * (7 + 7 + 1)
