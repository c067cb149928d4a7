"""What a latency model knows of a network's structure: counts that add over layers and blocks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from predictors.roofline import ROOFLINE_TERMS, combine_terms
from search_spaces.layers import PRODUCTS, Layer, is_weighted
from search_spaces.precision import precision

STRUCTURAL_TERMS = (
    "num_kernels",
    "num_products",
    "macs",
    "depthwise_macs",
    "attention_macs",
    "params",
    "inputs",
    "outputs",
)
LATENCY_FEATURES = (*STRUCTURAL_TERMS, *ROOFLINE_TERMS, "roofline_ms")


def structural_terms(layers: Iterable[Layer]) -> tuple[float, ...]:
    """Return the values of ``STRUCTURAL_TERMS`` for one image: whole numbers, exact under any order of addition."""
    totals = dict.fromkeys(STRUCTURAL_TERMS, 0)
    for layer in layers:
        totals["num_kernels"] += 1
        totals["num_products"] += layer.op in PRODUCTS
        totals["macs"] += layer.macs
        totals["depthwise_macs"] += layer.macs if layer.op == "depthwise" else 0
        totals["attention_macs"] += layer.macs if layer.op == "attention" else 0
        totals["params"] += layer.params
        totals["inputs"] += layer.inputs
        totals["outputs"] += layer.outputs
    return tuple(map(float, totals.values()))


PRECISION_TERMS = ("int8_layers", "int8_macs", "int8_depthwise_macs", "int8_elements")


def precision_terms(layers: Iterable[Layer]) -> tuple[float, ...]:
    """Return the values of ``PRECISION_TERMS`` for one image: what layers in integer arithmetic do.

    Weights of few bits under float32 products are no work of another kind: runtimes unpack them when they load.
    """
    integer = [layer for layer in layers if is_weighted(layer) and precision(layer.precision).is_integer_arithmetic]
    return (
        float(len(integer)),
        float(sum(layer.macs for layer in integer)),
        float(sum(layer.macs for layer in integer if layer.op == "depthwise")),
        float(sum(layer.inputs + layer.outputs for layer in integer)),
    )


def latency_features(structural: NDArray[np.float64], roofline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a population's features, (n, len(LATENCY_FEATURES)).

    Args:
        structural: summed ``structural_terms``, (n, 8).
        roofline: summed ``roofline_terms`` of the target, (n, 2).
    """
    return np.column_stack([structural, roofline, combine_terms(roofline)])
