"""What a kernel asks of a card: seconds of arithmetic and of memory traffic, from its shape alone.

A batched product's arithmetic comes in whole tiles, and the tiles in whole waves over the multiprocessors, as NeuSight
(ASPLOS 2025) has it; which tile, a library chooses for each shape. A product (M x N) (N x K) sums over N; a convolution
is one with M = batch x outputs, N = kernel area x input channels, K = output channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.kernel_card import Card
from search_spaces.errors import unknown

Array = NDArray[np.float64]
Shapes = dict[str, Array]

# Group -> its operators with the tensors that each reads and writes.
GROUPS: dict[str, dict[str, int]] = {
    "bmm": {"bmm": 3},
    "linear": {"linear": 3},
    "conv2d": {"conv": 3},
    "elementwise": {
        **dict.fromkeys(("add", "div", "mul", "pow"), 3),
        **dict.fromkeys(("addu", "divu", "mulu", "powu", "gelu", "relu", "tanh"), 2),
    },
    "softmax": {"softmax": 2},
    "layer_norm": {"ln": 2},
}
SHAPES: dict[str, tuple[str, ...]] = {
    "bmm": ("B", "M", "N", "K"),
    "linear": ("B", "M", "N", "K"),
    "conv2d": ("B", "c_in", "c_out", "kernel", "hw_in", "stride", "pad"),
    **dict.fromkeys(("elementwise", "softmax", "layer_norm"), ("B", "H")),
}
ROW_GROUPS = ("elementwise", "softmax", "layer_norm")
# Tiles of (rows, columns) outputs that libraries choose among. Convolutions run many kernels, Winograd's among them:
# one tile stands for all. Linear layers are too large for tiles to matter.
TILES: dict[str, tuple[tuple[int, int], ...]] = {
    "bmm": ((128, 128), (128, 64), (64, 64), (128, 32), (32, 128), (32, 32)),
    "conv2d": ((64, 64),),
}
# Winograd's method multiplies less than is counted, so that power holds convolutions down less, if from the start.
CONV_POWER_EXPONENT = 0.6
WIDE_SUM = 4096.0


@dataclass(frozen=True, eq=False)
class Terms:
    """Of n kernels on one card, each (n,), and (n, tiles) where tiles are chosen among.

    Attributes:
        compute_s: (n, tiles), arithmetic at the rate that shared memory feeds.
        memory_s: every tensor read or written once.
        throttle: log of how much slower power makes arithmetic that lasts.
        depth: length of the sums, before which a tile's first loads wait.
        inverse_tile: (n, tiles), 1/rows + 1/columns of a tile.
        stride: doublings of the sums beyond 4096, where rows lie in far pages.
    """

    compute_s: Array
    memory_s: Array
    throttle: Array
    depth: Array
    inverse_tile: Array
    stride: Array


def group_of(op: str) -> str:
    """Return the group of an operator; an unknown one lists those that are known."""
    for group, members in GROUPS.items():
        if op in members:
            return group
    raise unknown("operator", op, (name for members in GROUPS.values() for name in members))


def num_tiles(group: str) -> int:
    """Return how many tiles a group's kernels are chosen among; 1 where tiles do not matter."""
    return len(TILES.get(group, ())) or 1


def kernel_terms(group: str, shapes: Mapping[str, Array], card: Card) -> Terms:
    """Return the terms of a group's kernels on a card."""
    if group in ROW_GROUPS:
        return _row_terms(shapes, card)
    batch, rows, depth, columns, num_inputs = product(group, shapes)
    flops, inverse_tile = (2 * batch * rows * depth * columns)[:, None], np.zeros((len(depth), 1))
    if group in TILES:
        height, breadth = np.array(TILES[group], dtype=np.float64).T
        tiles = batch[:, None] * np.ceil(rows[:, None] / breadth) * np.ceil(columns[:, None] / height)
        flops = 2 * np.ceil(tiles / card.num_sms) * card.num_sms * height * breadth * depth[:, None]
        inverse_tile = np.broadcast_to(1 / height + 1 / breadth, flops.shape)
    num_elements = num_inputs + batch * depth * columns + batch * rows * columns
    compute_s, throttle = flops / card.fed_flops_per_s, float(np.log(card.power_slowdown()))
    if group == "conv2d":
        compute_s, throttle = compute_s * card.power_slowdown(CONV_POWER_EXPONENT), 0.0
    return Terms(
        compute_s=compute_s,
        memory_s=card.element_bytes * num_elements / card.bytes_per_s,
        throttle=np.full_like(depth, throttle),
        depth=depth,
        inverse_tile=inverse_tile,
        stride=np.log2(np.maximum(depth / WIDE_SUM, 1.0)),
    )


def roofline_ms(group: str, shapes: Mapping[str, Array], card: Card) -> Array:
    """Return the bare roofline of each kernel in milliseconds: the data sheet's peaks, nothing learned."""
    if group in ROW_GROUPS:
        terms = _row_terms(shapes, card)
        return np.asarray(1e3 * np.maximum(terms.compute_s[:, 0], terms.memory_s))
    batch, rows, depth, columns, num_inputs = product(group, shapes)
    compute_s = 2 * batch * rows * depth * columns / card.flops_per_s
    num_elements = num_inputs + batch * depth * columns + batch * rows * columns
    return np.asarray(1e3 * np.maximum(compute_s, card.element_bytes * num_elements / card.bytes_per_s))


def product(group: str, shapes: Mapping[str, Array]) -> tuple[Array, Array, Array, Array, Array]:
    """Return (batch, rows, depth, columns, elements of the left operand) of the matrix product."""
    if group != "conv2d":
        batch, rows, depth, columns = (shapes[name] for name in ("B", "M", "N", "K"))
        return batch, rows, depth, columns, batch * rows * depth
    side = np.floor((shapes["hw_in"] + 2 * shapes["pad"] - shapes["kernel"]) / shapes["stride"]) + 1
    num_inputs = shapes["B"] * shapes["c_in"] * shapes["hw_in"] ** 2
    depth = shapes["c_in"] * shapes["kernel"] ** 2
    return np.ones_like(side), shapes["B"] * side**2, depth, shapes["c_out"], num_inputs


def _row_terms(shapes: Mapping[str, Array], card: Card) -> Terms:
    num_elements = shapes["B"] * shapes["H"]
    num_bytes = card.element_bytes * num_elements * shapes["num_tensors"]
    none = np.zeros_like(num_elements)
    return Terms(
        compute_s=(num_elements / card.flops_per_s)[:, None],
        memory_s=num_bytes / card.bytes_per_s,
        throttle=none,
        depth=np.full_like(num_elements, np.inf),
        inverse_tile=none[:, None],
        stride=none,
    )
