"""Everything that a search was told, each architecture once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.search.objectives import Values
from search_spaces.space import Genes


class Archive:
    """Distinct rows in the order of their first coming, and their values.

    A row that comes again fills in what was not known of it; where both times say something, the later one counts.
    """

    def __init__(self, num_knobs: int, num_objectives: int) -> None:
        self.genes: Genes = np.zeros((0, num_knobs), dtype=np.int16)
        self.values: Values = np.zeros((0, num_objectives))
        self._places: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.genes)

    def add(self, genes: Genes, values: Values) -> None:
        """Add rows (n, num_knobs) with values (n, num_objectives); NaN is not known."""
        new: list[NDArray[np.int16]] = []
        merged = self.values
        rows = np.ascontiguousarray(genes, dtype=np.int16)
        for row, found in zip(rows, values, strict=True):
            place = self._places.setdefault(row.tobytes(), len(self.genes) + len(new))
            if place == len(self.genes) + len(new):
                new.append(row)
                merged = np.concatenate([merged, found[None]])
            else:
                merged[place] = np.where(np.isnan(found), merged[place], found)
        self.values = merged
        self.genes = np.concatenate([self.genes, np.array(new, dtype=np.int16).reshape(-1, self.genes.shape[1])])

    def known(self) -> NDArray[np.bool_]:
        """Return which rows have every value finite, (n,)."""
        return np.asarray(np.isfinite(self.values).all(axis=1))
