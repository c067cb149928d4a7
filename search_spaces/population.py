"""Exact costs of whole populations: one table a position, filled by the scalar twin, looked up for millions of rows.

Every position's placed block depends on a few knobs (``SearchSpace.position_knobs``). Its table has one row for each
combination of their values and of being inactive, zeros where the position is absent; the cost of a network is the sum
of one row a position (of one row a layer, where layers have knobs of their own). Neighbouring positions share a table
while it stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError
from search_spaces.layers import Layer, counting_rule
from search_spaces.parts import Part
from search_spaces.space import Genes, SearchSpace

Terms = Callable[[tuple[Layer, ...]], Sequence[float]]

MAX_TABLE_ROWS = 16_384
CHUNK_ROWS = 16_384


@dataclass(frozen=True)
class _Table:
    """Rows of one or more positions: row = sum over columns of (gene + 1) x multiplier."""

    columns: tuple[int, ...]
    multipliers: tuple[int, ...]
    rows: NDArray[Any]


class PopulationTable:
    """Additive vectors of every network of a space.

    Args:
        space: the space.
        terms: maps layers of one block to a vector; vectors of a network's layers add up (``reduce`` np.add) or their
            maximum is taken (np.maximum), whichever way they are grouped.
        dtype: of the sums; int64 is exact.
        reduce: how vectors of positions combine.
        only: which positions count, by name; None: all.
    """

    def __init__(
        self,
        space: SearchSpace,
        terms: Terms,
        dtype: type[np.generic] = np.int64,
        reduce: np.ufunc = np.add,
        max_rows: int = MAX_TABLE_ROWS,
        only: Callable[[str], bool] | None = None,
    ) -> None:
        self.space = space
        self._reduce = reduce
        known: dict[Hashable, Sequence[float]] = {}
        chosen = [part for part in space.parts() if only is None or only(part.position)]
        if not chosen:
            raise UsageError(f"space {space.name!r} has no position that counts: choose among its position_knobs")
        single = [_fill(part, terms, dtype, known) for part in chosen]
        self._tables = _merge(single, space, reduce, max_rows)

    def __call__(self, genes: Genes) -> NDArray[Any]:
        """Return (n, num_terms) of canonical ``genes`` (n, num_knobs)."""
        first = self._tables[0].rows
        out = np.empty((len(genes), first.shape[1]), dtype=first.dtype)
        for start in range(0, len(genes), CHUNK_ROWS):
            chunk = genes[start : start + CHUNK_ROWS].T.astype(np.int32) + 1
            sums = out[start : start + CHUNK_ROWS]
            for number, table in enumerate(self._tables):
                found = table.rows.take(_row_numbers(chunk, table), axis=0)
                if number == 0:
                    sums[:] = found
                else:
                    self._reduce(sums, found, out=sums)
        return out


def _fill(part: Part, terms: Terms, dtype: type[np.generic], known: dict[Hashable, Sequence[float]]) -> _Table:
    """Return the table of a part; ``known`` holds the vectors so far: the same block costs the same elsewhere."""
    vectors = []
    for found in part.rows.values():
        key = found.key
        if key not in known:
            known[key] = terms(found.layers())
        vectors.append(known[key])
    rows = np.zeros((prod(part.shape), len(vectors[0])), dtype=dtype)
    rows[list(part.rows)] = vectors
    return _Table(part.columns, _multipliers(part.shape), rows)


def _multipliers(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(prod(shape[index + 1 :]) for index in range(len(shape)))


def _row_numbers(chunk: NDArray[np.int32], table: _Table) -> NDArray[np.int32]:
    """Return each row's place in ``table``; ``chunk`` is (num_knobs, n), genes + 1."""
    if not table.columns:
        return np.zeros(chunk.shape[1], dtype=np.int32)
    numbers: NDArray[np.int32] = chunk[table.columns[-1]]
    for column, multiplier in zip(table.columns[:-1], table.multipliers[:-1], strict=True):
        numbers = numbers + chunk[column] * np.int32(multiplier)
    return numbers


def _merge(tables: list[_Table], space: SearchSpace, reduce: np.ufunc, max_rows: int) -> list[_Table]:
    """Return fewer tables: neighbours are joined while the product of their knobs stays under ``max_rows``."""
    merged = [tables[0]]
    for table in tables[1:]:
        columns = tuple(sorted({*merged[-1].columns, *table.columns}))
        shape = [len(space.knobs[column].values) + 1 for column in columns]
        if prod(shape) > max_rows:
            merged.append(table)
            continue
        every = np.indices(shape, dtype=np.int32).reshape(len(shape), prod(shape))
        chunk = np.zeros((len(space.knobs), every.shape[1]), dtype=np.int32)
        chunk[list(columns)] = every
        parts = [part.rows.take(_row_numbers(chunk, part), axis=0) for part in (merged[-1], table)]
        merged[-1] = _Table(columns, _multipliers(shape), reduce(*parts))
    return merged


class PopulationCost:
    """Params, MACs and activations of whole populations under one counting rule, and the peak-memory estimate."""

    def __init__(self, space: SearchSpace, counting: str = "core") -> None:
        rule = counting_rule(counting)

        def sums(layers: tuple[Layer, ...]) -> tuple[int, int, int]:
            counted = [rule(layer) for layer in layers]
            macs, activations = sum(c[0] for c in counted), sum(c[1] for c in counted)
            return sum(layer.params for layer in layers), macs, activations

        def peak(layers: tuple[Layer, ...]) -> tuple[int]:
            return (max(layer.inputs + layer.outputs + layer.held for layer in layers),)

        self._sums = PopulationTable(space, sums)
        self._peak = PopulationTable(space, peak, reduce=np.maximum)

    def counts(self, genes: Genes) -> NDArray[np.int64]:
        """Return (n, 3) exact integers: params, macs, activations."""
        return self._sums(genes)

    def peak_memory_bytes(self, genes: Genes) -> NDArray[np.int64]:
        """Return (n,) bytes of float32 inference at batch 1, an estimate: weights and the largest working set."""
        return np.asarray(4 * (self.counts(genes)[:, 0] + self._peak(genes)[:, 0]))
