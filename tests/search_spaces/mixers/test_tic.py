from __future__ import annotations

import pytest
import torch

from search_spaces.mixers.tic import SlidingAttention
from search_spaces.testing_blocks import fill


def filled(kernel: int, dilation: int = 1) -> SlidingAttention:
    module = SlidingAttention(8, 2, 4, kernel, dilation).double()
    fill(module, torch.Generator().manual_seed(0))
    return module


def test_a_window_of_1_is_the_linear_map_of_the_values() -> None:
    module, x = filled(1), torch.randn(2, 8, 3, 5, dtype=torch.float64)
    with torch.no_grad():
        values = module.qkv(x)[:, 16:]
        torch.testing.assert_close(module(x), module.projection(values))


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (4, 7), (9, 2)])
def test_the_output_has_the_shape_of_any_input(size: tuple[int, int], dilation: int) -> None:
    assert filled(3, dilation)(torch.randn(2, 8, *size, dtype=torch.float64)).shape == (2, 8, *size)


@pytest.mark.parametrize("dilation", [1, 2])
def test_each_cell_attends_to_its_neighbourhood_by_hand(dilation: int) -> None:
    module, x = filled(3, dilation), torch.randn(1, 8, 5, 5, dtype=torch.float64)
    with torch.no_grad():
        q, k, v = module.qkv(x)[0].view(3, 2, 4, 5, 5)
        padded = [torch.nn.functional.pad(part, (dilation,) * 4) for part in (k, v)]
        row, column = 1, 3
        places = [(row + dilation * i, column + dilation * j) for i in range(3) for j in range(3)]
        keys, values = (torch.stack([part[:, :, r, c] for r, c in places], 1) for part in padded)
        scores = (keys @ q[:, :, row, column, None] / 2).softmax(1)
        expected = module.projection((scores * values).sum(1).reshape(1, 8, 1, 1))
        torch.testing.assert_close(module(x)[..., row, column], expected[..., 0, 0])
