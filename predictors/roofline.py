"""The analytic latency of any target: a roofline per layer, and the launch of one kernel per layer.

In eager PyTorch each layer is one kernel: nothing is fused, each activation is read and written. The host launches
while the device computes, so a network of N kernels takes

    T = max(N * launch_overhead, sum of t_k),   t_k = max(FLOPs / (eta * P * occupancy), bytes / (eta_m * BW)) + floor

with weights read once a batch. A quantised layer is read and written at its own bytes, and computes at the rate for its
precision where one is known of the device and the runtime uses it, else at the target's. On a CPU host and device are
one and T is the sum of both. Other runtimes fuse the element-wise layers of ``FUSED``: ``torch.compile`` makes one
kernel of those of a block that follow each other, in which only an addition reads more; ONNX Runtime and TensorRT put
them into the product before, where they are taken to cost nothing, an assumption that no measurement stands behind.
Williams et al., "Roofline" (CACM 2009); waves of tiles on the multiprocessors: NeuSight (ASPLOS 2025).

The constants are assumptions, rounded from public float32 timings of single kernels on five NVIDIA GPUs (NeuSight's
data). There the formula's mean error is 40 % (conv), 40 % (linear) and 44 % (batched products), that of the bare data
sheet 44, 52 and 63 %; nothing stands behind ``depthwise``. Of whole networks in large batches, whose errors cancel, it
is less (``nas bench transfer``). Read an analytic latency as a rank, not a promise.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from predictors.measurement import Measurement
from predictors.target import Target
from search_spaces.layers import MAPS, Layer, is_weighted
from search_spaces.precision import precision

ROOFLINE_TERMS = ("host_ps", "device_ps")

# Reachable share of the peak rate by operation; another operation with MACs counts as linear.
UTILISATION = {"conv": 0.7, "depthwise": 0.2, "linear": 0.6, "attention": 0.5}
BANDWIDTH_UTILISATION = 0.85
# Outputs that one multiprocessor computes at a time.
TILE_OUTPUTS = 4096
# Kernels of few outputs split their sums, which keeps this share of the device at work.
MIN_OCCUPANCY = 0.2
# No GPU kernel is shorter.
KERNEL_FLOOR_US = 2.0
# What compilers of networks do inside another kernel: no launch of its own, no reading and writing of its input.
FUSED = frozenset({"batch_norm", "activation", "scale", "add"})
# The largest of the three mean errors that the docstring tells.
MEAN_ERROR = 0.44
BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2}


def layer_ms(layer: Layer, target: Target) -> float:
    """Return the device time of one layer on a batch in milliseconds, its launch not included."""
    floor_us = KERNEL_FLOOR_US if target.device.kind == "gpu" else 0.0
    return max(_compute_ms(layer, target), _memory_ms(layer, target)) + floor_us / 1e3


def roofline_terms(layers: Iterable[Layer], target: Target) -> tuple[float, float]:
    """Return (host, device) time of the ``layers`` of a block in whole picoseconds, additive over blocks.

    Whole numbers below 2^53 add exactly in float64 in any order: a network's terms are the same, bit for bit, whether
    summed block by block or from tables of blocks.
    """
    launch = round(target.device.launch_overhead_us * 1e6)
    num_kernels = device = 0
    previous = ""
    for layer in layers:
        if _joins(layer, previous, target):
            device += round(_joined_ms(layer, target) * 1e9)
        else:
            num_kernels += 1
            device += round(layer_ms(layer, target) * 1e9)
        previous = layer.op
    host = num_kernels * launch
    return float(host), float(device + host if target.device.kind == "cpu" else device)


def _joins(layer: Layer, previous: str, target: Target) -> bool:
    """Return whether the runtime computes the layer in the kernel of the layer before it."""
    if layer.op not in FUSED or target.runtime == "eager":
        return False
    return target.runtime != "compiled" or previous in FUSED


def _joined_ms(layer: Layer, target: Target) -> float:
    """Return what a layer adds to the kernel that it joins: under ``torch.compile``, an addition's other operand."""
    if layer.op != "add" or target.runtime != "compiled":
        return 0.0
    return _traffic_ms(layer.outputs * target.batch_size * BYTES[target.precision], target)


def combine_terms(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the latency in milliseconds, (n,), of summed terms (n, 2): the busier of host and device."""
    picoseconds: NDArray[np.float64] = np.max(sums, axis=-1)
    return picoseconds / 1e9


def latency_ms(blocks: Iterable[Iterable[Layer]], target: Target) -> float:
    """Return the analytic latency of one batch in milliseconds, of the layers of each block of a network.

    It is equal to ``combine_terms`` of the summed terms.
    """
    terms = np.array([roofline_terms(layers, target) for layers in blocks]).reshape(-1, len(ROOFLINE_TERMS))
    return float(combine_terms(terms.sum(axis=0, keepdims=True))[0])


def analytic_latency(blocks: Iterable[Iterable[Layer]], target: Target) -> Measurement:
    """Return ``latency_ms`` as a measurement, labelled ``analytic``."""
    return Measurement("latency_ms", latency_ms(blocks, target), "ms", "analytic", target=target.name)


def _compute_ms(layer: Layer, target: Target) -> float:
    if not layer.macs:
        return 0.0
    tflops = _peak_tflops(layer, target)
    utilisation = UTILISATION.get(layer.op, UTILISATION["linear"]) * _occupancy(layer, target)
    return 2 * layer.macs * target.batch_size / (utilisation * tflops * 1e9)


def _peak_tflops(layer: Layer, target: Target) -> float:
    # Depthwise convolutions have nothing to feed tensor cores with.
    if layer.op == "depthwise":
        return target.device.peak_tflops("fp32")
    own = None
    # Products of two activations (attention) are never quantised, whatever the layers around them are.
    if layer.op in MAPS and layer.precision == "int8":
        own = target.device.peak_tops_int8
    elif layer.op in MAPS and layer.precision == "bf16" and target.runtime != "onnxruntime":
        own = target.device.peak_tflops_bf16
    return own or target.device.peak_tflops(target.precision)


def _occupancy(layer: Layer, target: Target) -> float:
    """Return the share of a GPU at work: a wave takes its time, however few of its tiles are full."""
    if target.device.kind == "cpu":
        return 1.0
    num_waves = layer.outputs * target.batch_size / (TILE_OUTPUTS * target.device.num_sms)
    return max(MIN_OCCUPANCY, num_waves / max(1, ceil(num_waves)))


def _memory_ms(layer: Layer, target: Target) -> float:
    weight_bytes = activation_bytes = float(BYTES[target.precision])
    if layer.precision != "fp32" and is_weighted(layer):
        own = precision(layer.precision)
        weight_bytes = own.weight_bits / 8
        activation_bytes = min(activation_bytes, own.activation_bits / 8)
    num_bytes = layer.params * weight_bytes + layer.elements(target.batch_size) * activation_bytes
    return _traffic_ms(num_bytes, target)


def _traffic_ms(num_bytes: float, target: Target) -> float:
    return num_bytes / (BANDWIDTH_UTILISATION * target.device.memory_bandwidth_gb_s * 1e6)
