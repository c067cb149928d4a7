"""What a latency model knows of a network's structure: counts that add over layers and blocks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from predictors.roofline import ROOFLINE_TERMS, combine_terms
from search_spaces.layers import PRODUCTS, Layer

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


def latency_features(structural: NDArray[np.float64], roofline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a population's features, (n, len(LATENCY_FEATURES)).

    Args:
        structural: summed ``structural_terms``, (n, 8).
        roofline: summed ``roofline_terms`` of the target, (n, 2).
    """
    return np.column_stack([structural, roofline, combine_terms(roofline)])
