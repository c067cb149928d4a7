"""What the residual of the kernel model reads: sizes, waves, overhang of tiles, alignment, shares of the L2 cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.kernel_card import Card
from predictors.kernel_terms import ROW_GROUPS, kernel_terms, product

Array = NDArray[np.float64]
# Tiles that libraries choose among.
PRODUCT_TILES = ((128, 128), (128, 64), (64, 64), (32, 32))
BLOCK_ELEMENTS = 1024


def kernel_features(group: str, shapes: Mapping[str, Array], card: Card) -> Array:
    """Return (n, d) features of a group's kernels on a card."""
    if group in ROW_GROUPS:
        return _row_features(shapes, card)
    return _conv_features(shapes, card) if group == "conv2d" else _product_features(shapes, card)


def _row_features(shapes: Mapping[str, Array], card: Card) -> Array:
    rows, width = shapes["B"], shapes["H"]
    num_elements = rows * width
    num_bytes = card.element_bytes * num_elements * shapes["num_tensors"]
    return _stacked(
        [
            np.log2(rows),
            np.log2(width),
            np.log2(num_bytes / card.l2_bytes),
            np.log2(num_elements / card.num_sms),
            np.log2(rows / card.num_sms),
            np.log2(num_bytes / card.bytes_per_s),
            np.log2(np.ceil(width / BLOCK_ELEMENTS) * BLOCK_ELEMENTS / width),
            width <= BLOCK_ELEMENTS,
            width % 4 == 0,
            shapes["num_tensors"],
        ]
    )


def _product_features(shapes: Mapping[str, Array], card: Card) -> Array:
    batch, rows, depth, columns = (shapes[name] for name in ("B", "M", "N", "K"))
    features = [np.log2(batch), np.log2(rows), np.log2(depth), np.log2(columns)]
    for height, breadth in PRODUCT_TILES:
        waves = batch * np.ceil(rows / breadth) * np.ceil(columns / height) / card.num_sms
        features += [np.log2(waves), np.log2(np.ceil(waves) / waves)]
    features += [
        np.log2(np.ceil(rows / 64) * 64 / rows),
        np.log2(np.ceil(columns / 128) * 128 / columns),
        depth % 4 == 0,
        columns % 4 == 0,
        np.log2(card.element_bytes * batch * rows * depth / card.l2_bytes),
        np.log2(card.element_bytes * batch * depth * columns / card.l2_bytes),
    ]
    return _stacked(features)


def _conv_features(shapes: Mapping[str, Array], card: Card) -> Array:
    _, rows, depth, columns, _ = product("conv2d", shapes)
    terms = kernel_terms("conv2d", shapes, card)
    compute_s = terms.compute_s[:, 0]
    side = np.sqrt(rows / shapes["B"])
    waves = rows * columns / (128 * 64 * card.num_sms)
    features = [
        np.log2(rows),
        np.log2(depth),
        np.log2(columns),
        np.log2(shapes["B"]),
        np.log2(side),
        np.log2(compute_s),
        np.log2(terms.memory_s / compute_s),
        np.log2(waves),
        np.log2(np.ceil(waves) / waves),
        # How much the tiles of 4 x 4 and 2 x 2 outputs of Winograd's method overhang.
        np.ceil(side / 4) * 4 / side,
        np.ceil(side / 2) * 2 / side,
        np.log2(np.ceil(columns / 64) * 64 / columns),
        np.log2(np.ceil(columns / 32) * 32 / columns),
        (shapes["c_in"] % 4 == 0) & (columns % 4 == 0),
        (shapes["c_in"] % 32 == 0) & (columns % 32 == 0),
        np.log2(card.element_bytes * depth * columns / card.l2_bytes),
    ]
    return _stacked(features)


def _stacked(columns: Sequence[NDArray[Any]]) -> Array:
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
