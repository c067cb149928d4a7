"""A network's latency on a card never seen: the kernels of its layers, each predicted, added up.

Eager PyTorch launches one kernel a layer. A layer's counts give its product back: the sums' length is MACs over
outputs, the columns parameters over that length. Depthwise convolutions, norms, activations and pools move memory, so
they are element-wise kernels of the same traffic. Kernels of one group err together on a card, and their deviations
add; those of different groups add as squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from predictors.kernel_card import card_of
from predictors.kernel_model import KernelModel
from predictors.kernel_terms import SHAPES
from predictors.measurement import Measurement
from predictors.target import Target
from search_spaces.errors import UsageError
from search_spaces.layers import Layer

AREA = 3 * 3


def predicted_latency(model: KernelModel, layers: Iterable[Layer], target: Target) -> Measurement:
    """Return the latency of one batch with its standard deviation, labelled ``predicted``.

    Raises:
        UsageError: the target is no NVIDIA GPU that the model knows the generation of, its runtime fuses kernels, or
            the model lacks a group of operators that the network has.
    """
    if target.runtime != "eager":
        raise UsageError(f"target {target.name!r} fuses kernels: the kernel model predicts the eager runtime alone")
    card = card_of(target)
    kernels: dict[str, list[dict[str, float]]] = {}
    for layer in layers:
        for group, shape in _kernels(layer, target.batch_size):
            kernels.setdefault(group, []).append(shape)
    total_ms, variance = 0.0, 0.0
    for group, rows in kernels.items():
        shapes = {name: np.array([row[name] for row in rows]) for name in (*SHAPES[group], "num_tensors")}
        mean, deviation = model.predict(group, shapes, card)
        total_ms += float(mean.sum())
        variance += float(deviation.sum()) ** 2
    return Measurement("latency_ms", total_ms, "ms", "predicted", spread=variance**0.5, target=target.name)


def _kernels(layer: Layer, batch_size: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield (group, shape) of the kernels of one layer on a batch."""
    if layer.op in ("conv", "linear") and layer.macs and layer.outputs:
        yield _product(layer, batch_size)
    elif layer.op == "attention" and layer.macs:
        yield from _attention(layer, batch_size)
    elif layer.op == "layer_norm" and layer.params:
        width = max(1.0, layer.params / 2)
        yield "layer_norm", _rows(layer.outputs * batch_size / width, width, 2)
    else:
        num_elements = max(1, layer.inputs + layer.outputs) * batch_size / 2
        yield "elementwise", _rows(num_elements, 1.0, 2)


def _rows(num_rows: float, width: float, num_tensors: float) -> dict[str, float]:
    return {"B": num_rows, "H": width, "num_tensors": num_tensors}


def _product(layer: Layer, batch_size: int) -> tuple[str, dict[str, float]]:
    depth = max(1.0, layer.macs / layer.outputs)
    columns = min(max(1.0, round(layer.params / depth)), float(layer.outputs))
    positions = layer.outputs / columns
    if layer.op == "linear" or abs(layer.inputs - positions * depth) < 0.01 * layer.inputs:
        return "linear", _matrices(1.0, positions * batch_size, depth, columns)
    # The kernel of the convolutions that were timed; another area has the same product and other channels.
    channels, side = depth / AREA, positions**0.5
    stride = max(1.0, round((layer.inputs / channels / positions) ** 0.5))
    shape = {"B": float(batch_size), "c_in": channels, "c_out": columns, "kernel": 3.0, "stride": stride, "pad": 1.0}
    return "conv2d", {**shape, "hw_in": side * stride, "num_tensors": 3.0}


def _attention(layer: Layer, batch_size: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield both products and the softmax between them, one head assumed.

    With T tokens of width D, ``macs`` are 2 T^2 D and ``outputs`` T D or more: T is half of MACs over T D.
    """
    values = max(1.0, layer.inputs / 3)
    tokens = max(1.0, layer.macs / (2 * values))
    width = max(1.0, values / tokens)
    yield "bmm", _matrices(float(batch_size), tokens, width, tokens)
    yield "softmax", _rows(batch_size * tokens, tokens, 2)
    yield "bmm", _matrices(float(batch_size), tokens, tokens, width)


def _matrices(batch: float, rows: float, depth: float, columns: float) -> dict[str, float]:
    return {"B": batch, "M": rows, "N": depth, "K": columns, "num_tensors": 3.0}
