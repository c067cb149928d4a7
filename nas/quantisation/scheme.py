"""The numbers of the scheme: scales and zero points, and tensors rounded to what integers can hold.

An integer q stands for s (q - z). Weights are symmetric, one scale a channel: s = max |w| / (2^(b-1) - 1), z = 0.
Activations are unsigned bytes, one scale a tensor: s = (high - low) / 255, z = round(-low / s), zero in the range.
As ONNX Runtime's quantiser computes them (``compute_scale_zp``); Jacob et al. 2018, equations 1 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ACTIVATION_LEVELS = 255


@dataclass(frozen=True)
class Range:
    """The least and the largest value of a tensor over the calibration images."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """The step between two integers; 1 where the tensor is all zero."""
        return (max(self.high, 0.0) - min(self.low, 0.0)) / ACTIVATION_LEVELS or 1.0

    @property
    def zero_point(self) -> int:
        """The integer that stands for zero."""
        return round(-min(self.low, 0.0) / self.scale)

    def round(self, values: Tensor) -> Tensor:
        """Return ``values`` as unsigned bytes hold them, in float32."""
        return torch.fake_quantize_per_tensor_affine(values, self.scale, self.zero_point, 0, ACTIVATION_LEVELS)


def channel_scales(weights: Tensor, bits: int) -> Tensor:
    """Return the scale of each output channel (the first axis), (channels,); 1 where a channel is all zero."""
    largest = weights.detach().flatten(1).abs().amax(1)
    return torch.where(largest > 0, largest / (2 ** (bits - 1) - 1), torch.ones_like(largest))


def weight_integers(weights: Tensor, scales: Tensor, bits: int) -> Tensor:
    """Return the integers of ``weights``, int8 of the same shape."""
    limit = 2 ** (bits - 1) - 1
    shaped = scales.view(-1, *[1] * (weights.ndim - 1))
    return torch.clamp(torch.round(weights.detach() / shaped), -limit, limit).to(torch.int8)


def round_weights(weights: Tensor, bits: int) -> Tensor:
    """Return ``weights`` as integers of ``bits`` hold them, in float32."""
    scales = channel_scales(weights, bits)
    return weight_integers(weights, scales, bits) * scales.view(-1, *[1] * (weights.ndim - 1))


def round_bias(bias: Tensor, input_scale: float, scales: Tensor) -> Tensor:
    """Return ``bias`` (channels,) as 32-bit integers hold it at the scale of the products."""
    step = input_scale * scales
    return torch.round(bias.detach() / step) * step


def round_bfloat16(values: Tensor) -> Tensor:
    """Return ``values`` as bfloat16 holds them, in float32."""
    return values.to(torch.bfloat16).to(torch.float32)
