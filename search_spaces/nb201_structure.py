"""What a cell of nb201 computes, in numbers: which edges are live, and the paths from its input to its output.

An edge is live where it lies on a path of operators that are not ``none`` from the input (node 0) to the output (node
3). Paths as columns: White et al., "A Study on Encodings for Neural Architecture Search" (2020).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search_spaces.nb201_cells import EDGES, OPERATORS

Array = NDArray[np.float64]
Operators = NDArray[np.integer]

NONE, SKIP, CONV_1X1, CONV_3X3, POOL = range(len(OPERATORS))
PATHS = tuple(
    tuple(EDGES.index(edge) for edge in path)
    for path in (((3, 0),), ((1, 0), (3, 1)), ((2, 0), (3, 2)), ((1, 0), (2, 1), (3, 2)))
)
"""The edges of each path from node 0 to node 3."""


def live_edges(operators: Operators) -> Operators:
    """Return ``operators`` (n, 6), indices of ``OPERATORS`` by ``EDGES``, with every edge that is not live at none."""
    given = operators != NONE
    reached, needed = (np.zeros((len(operators), 4), dtype=bool) for _ in range(2))
    reached[:, 0] = needed[:, 3] = True
    for edge, (node, source) in enumerate(EDGES):
        reached[:, node] |= reached[:, source] & given[:, edge]
    for edge, (node, source) in reversed(list(enumerate(EDGES))):
        needed[:, source] |= needed[:, node] & given[:, edge]
    nodes, sources = (np.array(side) for side in zip(*EDGES, strict=True))
    return np.where(reached[:, sources] & needed[:, nodes], operators, NONE)


def cell_structure(operators: Operators) -> Array:
    """Return (n, 15) of live edges: operators by kind, paths by number of convolutions, and the paths' extremes.

    Columns: skips, 1x1, 3x3 and poolings; paths; paths with 0, 1, 2, 3 convolutions; most and least convolutions on a
    path; most 3x3 on a path; paths with a pooling; paths of skips alone; whether there is no path.
    """
    live = live_edges(operators)
    whole = np.stack([(live[:, path] != NONE).all(axis=1) for path in PATHS], axis=1)
    convs = _on_paths(np.isin(live, (CONV_1X1, CONV_3X3)))
    large, pools = _on_paths(live == CONV_3X3), _on_paths(live == POOL)
    skips = np.stack([(live[:, path] == SKIP).all(axis=1) for path in PATHS], axis=1)
    columns = [(live == operator).sum(axis=1) for operator in (SKIP, CONV_1X1, CONV_3X3, POOL)]
    columns += [whole.sum(axis=1), *((whole & (convs == num)).sum(axis=1) for num in range(4))]
    columns += [
        np.where(whole, convs, 0).max(axis=1),
        np.where(whole, convs, 4).min(axis=1),
        np.where(whole, large, 0).max(axis=1),
        (whole & (pools > 0)).sum(axis=1),
        skips.sum(axis=1),
        ~whole.any(axis=1),
    ]
    return np.column_stack(columns).astype(np.float64)


def path_counts(operators: Operators) -> Array:
    """Return (n, 84): how often each sequence of one, two or three operators lies on a path."""
    live = live_edges(operators)
    counts = np.zeros((len(live), 4 + 16 + 64))
    first = {1: 0, 2: 4, 3: 20}
    for path in PATHS:
        whole = np.flatnonzero((live[:, path] != NONE).all(axis=1))
        index = (live[whole][:, path].astype(np.intp) - 1) @ 4 ** np.arange(len(path))[::-1]
        counts[whole, first[len(path)] + index] += 1.0
    return counts


def live_one_hot(operators: Operators) -> Array:
    """Return (n, 30) indicators of each edge's operator, after ``live_edges``."""
    return np.asarray(np.eye(len(OPERATORS))[live_edges(operators)].reshape(len(operators), -1))


def _on_paths(edges: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many of the marked edges lie on each path, (n, 4)."""
    return np.stack([edges[:, path].sum(axis=1) for path in PATHS], axis=1)
