from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.mixers.sgconv import KERNEL_DIM, GlobalKernel, long_convolution, num_scales
from search_spaces.testing_blocks import fill


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(0, 99))
def test_the_transform_is_the_direct_convolution(length: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, length, dtype=torch.float64, generator=generator)
    past, ahead = (torch.randn(3, length, dtype=torch.float64, generator=generator) for _ in range(2))
    expected = torch.zeros_like(x)
    for t in range(length):
        for s in range(length):
            if t - s >= 0:
                expected[..., t] += past[:, s] * x[..., t - s]
            if t + 1 + s < length:
                expected[..., t] += ahead[:, s] * x[..., t + 1 + s]
    torch.testing.assert_close(long_convolution(x, past, ahead), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("length", "scales"), [(1, 1), (4, 1), (5, 2), (8, 2), (16, 3), (49, 5), (256, 7)])
def test_parameters_grow_with_the_logarithm_of_the_length(length: int, scales: int) -> None:
    """S = 1 + ceil(log2(L / d)), d values each."""
    assert num_scales(length) == scales
    kernel = GlobalKernel(3, length)
    assert sum(parameter.numel() for parameter in kernel.parameters()) == 3 * KERNEL_DIM * scales
    fill(kernel, torch.Generator().manual_seed(0))
    assert kernel().shape == (3, length)


def test_the_kernel_has_unit_norm_and_far_parts_weigh_half_as_much() -> None:
    kernel = GlobalKernel(1, 16)
    with torch.no_grad():
        for scale in kernel.scales:
            scale.fill_(1.0)
        values = kernel()[0]
    torch.testing.assert_close(values.norm(), torch.tensor(1.0))
    torch.testing.assert_close(values / values[-1], torch.tensor([4.0] * 4 + [2.0] * 4 + [1.0] * 8))
