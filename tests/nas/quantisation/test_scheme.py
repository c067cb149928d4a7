"""Every number against one computed by hand, or by ONNX Runtime's own quantiser."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnxruntime.quantization.quant_utils import compute_scale_zp

from nas.quantisation.scheme import (
    Range,
    channel_scales,
    round_bfloat16,
    round_bias,
    round_weights,
    weight_integers,
)

finite = st.floats(-100, 100, width=32)


def test_scale_and_zero_point_by_hand() -> None:
    found = Range(-1.0, 4.1)
    assert found.scale == pytest.approx(0.02)
    assert found.zero_point == 50
    values = torch.tensor([-2.0, -1.0, 0.0, 0.013, 0.017, 4.1, 9.0])
    expected = torch.tensor([-1.0, -1.0, 0.0, 0.02, 0.02, 4.1, 4.1])
    assert torch.allclose(found.round(values), expected, atol=1e-6)


@pytest.mark.parametrize(("low", "high", "zero_point"), [(1.0, 5.1, 0), (-5.1, -1.0, 255), (0.0, 0.0, 0)])
def test_zero_is_always_in_the_range(low: float, high: float, zero_point: int) -> None:
    found = Range(low, high)
    assert found.zero_point == zero_point
    assert found.round(torch.zeros(1)) == 0


@given(finite, finite)
def test_it_is_that_of_onnxruntime(first: float, second: float) -> None:
    low, high = np.float32(min(first, second)), np.float32(max(first, second))
    zero_point, scale = compute_scale_zp(low, high, np.uint8(0), np.uint8(255))
    found = Range(float(low), float(high))
    if float(high) - float(low) > 1e-30:
        assert found.scale == pytest.approx(float(scale), rel=1e-6)
        assert found.zero_point == int(zero_point)


def test_each_channel_has_its_own_scale() -> None:
    weights = torch.tensor([[[[1.27, -0.5]]], [[[0.0, 0.0]]], [[[-12.7, 0.1]]]])
    scales = channel_scales(weights, 8)
    assert torch.allclose(scales, torch.tensor([0.01, 1.0, 0.1]))
    assert weight_integers(weights, scales, 8).flatten().tolist() == [127, -50, 0, 0, -127, 1]
    assert torch.allclose(round_weights(weights, 8), torch.tensor([[[[1.27, -0.5]]], [[[0, 0]]], [[[-12.7, 0.1]]]]))


@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8]))
def test_weights_are_off_by_half_a_step_at_most(seed: int, bits: int) -> None:
    weights = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(seed))
    scales = channel_scales(weights, bits)
    assert int(weight_integers(weights, scales, bits).abs().max()) == 2 ** (bits - 1) - 1
    error = (round_weights(weights, bits) - weights).abs().amax((1, 2, 3))
    assert bool((error <= 0.5001 * scales).all())


def test_biases_are_whole_multiples_of_the_products_step() -> None:
    found = round_bias(torch.tensor([0.26, -0.26]), 0.5, torch.tensor([0.2, 0.02]))
    assert torch.allclose(found, torch.tensor([0.3, -0.26]))


def test_bfloat16_keeps_eight_bits_of_the_fraction() -> None:
    assert round_bfloat16(torch.tensor([1.0 + 2**-7, 1.0 + 2**-9])).tolist() == [1.0 + 2**-7, 1.0]
