"""The samples that a predictor is fitted on, checked before anything is computed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.errors import UsageError

Array = NDArray[np.float64]
MAX_ROWS_NAMED = 5


def as_inputs(inputs: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Return ``inputs`` as finite float64 matrices with equal numbers of rows.

    Raises:
        UsageError: one is not a matrix, holds NaN or infinity, or has another number of rows.
    """
    matrices = {name: np.asarray(value, dtype=np.float64) for name, value in inputs.items()}
    for name, matrix in matrices.items():
        if matrix.ndim != 2:
            raise UsageError(f"{name} has shape {matrix.shape}: give a matrix, one row a network")
        _refuse(name, "not finite", ~np.all(np.isfinite(matrix), axis=1))
    _equal_rows({name: len(matrix) for name, matrix in matrices.items()})
    return matrices


def check_samples(
    inputs: Mapping[str, ArrayLike],
    quantity: str,
    values: ArrayLike,
    minimum: int,
    positive: bool,
    distinct: bool = True,
) -> tuple[dict[str, Array], Array]:
    """Return (matrices, values) to fit on.

    Args:
        inputs: matrices with one row a network.
        quantity: name of ``values`` in messages.
        values: what was measured, (n,).
        minimum: how many samples the model needs.
        positive: whether zero and negative values are refused.
        distinct: whether two rows of equal inputs are refused.

    Raises:
        UsageError: too few samples, numbers that can't be, shapes that differ, or a network that stands twice. The
            message counts the rows and names the first.
    """
    targets = np.asarray(values, dtype=np.float64)
    if targets.ndim != 1:
        raise UsageError(f"{quantity} has shape {targets.shape}: give one value a network")
    _refuse(quantity, "not finite", ~np.isfinite(targets))
    if positive:
        _refuse(quantity, "not above zero", targets <= 0)
    matrices = as_inputs(inputs)
    _equal_rows({**{name: len(matrix) for name, matrix in matrices.items()}, quantity: len(targets)})
    if len(targets) < minimum:
        raise UsageError(f"{quantity} has {len(targets)} samples: give at least {minimum}")
    if distinct:
        _refuse_duplicates(quantity, np.column_stack(list(matrices.values())))
    return matrices, targets


def _refuse(name: str, what: str, wrong: NDArray[np.bool_]) -> None:
    if wrong.any():
        raise UsageError(
            f"{name}: {int(wrong.sum())} of {len(wrong)} rows are {what} ({_rows(np.flatnonzero(wrong).tolist())}): "
            "measure them again or leave them out"
        )


def _refuse_duplicates(quantity: str, rows: Array) -> None:
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    original = first[inverse.reshape(-1)]
    repeats = np.flatnonzero(original != np.arange(len(rows)))
    if len(repeats):
        raise UsageError(
            f"{quantity}: {len(repeats)} of {len(rows)} rows repeat the network of an earlier row "
            f"({_rows(repeats.tolist())}; row {repeats[0]} is row {original[repeats[0]]}): give each network once"
        )


def _equal_rows(counts: Mapping[str, int]) -> None:
    if len(set(counts.values())) > 1:
        given = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise UsageError(f"the numbers of rows differ ({given}): give one row a network in each")


def _rows(rows: Sequence[int]) -> str:
    named = ", ".join(map(str, rows[:MAX_ROWS_NAMED]))
    return f"rows {named}{', ...' if len(rows) > MAX_ROWS_NAMED else ''}"
