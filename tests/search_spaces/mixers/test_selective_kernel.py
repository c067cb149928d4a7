from __future__ import annotations

import torch

from search_spaces.mixers.selective_kernel import Prelu, SelectiveFusion, halved
from search_spaces.testing_blocks import fill


def test_the_weights_of_the_streams_sum_to_1() -> None:
    fusion = SelectiveFusion(16, 3)
    fill(fusion, torch.Generator().manual_seed(0))
    streams = [torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    with torch.no_grad():
        weights = fusion.weights(streams)
        assert weights.shape == (3, 2, 16, 1, 1)
        assert (weights > 0).all()
        torch.testing.assert_close(weights.sum(0), torch.ones(2, 16, 1, 1))
        expected = sum(weight * stream for weight, stream in zip(weights, streams, strict=True))
        torch.testing.assert_close(fusion(streams), expected)


def test_equal_streams_pass_as_they_are() -> None:
    fusion, x = SelectiveFusion(8, 2), torch.randn(1, 8, 3, 3, generator=torch.Generator().manual_seed(0))
    fill(fusion, torch.Generator().manual_seed(1))
    torch.testing.assert_close(fusion([x, x]), x)


def test_halving_odd_sides_counts_the_border_twice() -> None:
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert halved(x)[0, 0].tolist() == [[2.0, 3.5], [6.5, 8.0]]


def test_the_slope_starts_at_a_quarter() -> None:
    module = Prelu()
    module.initialise("weight", module.weight.data)
    assert module(torch.tensor([-4.0, 2.0])).tolist() == [-1.0, 2.0]
