"""What a latency model reads of the networks of a space: totals, totals by stage, how often each choice is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from predictors.encoding import Group
from predictors.features import structural_terms
from predictors.kernels import Array
from search_spaces.population import PopulationTable
from search_spaces.space import Genes, SearchSpace

TOTALS = Group("totals", trend=True)
COUNTS = Group("counts", standardise=False)
STAGES = Group("stages", -1.0)
ONE_HOT = Group("one_hot", -3.0, standardise=False)
NEEDED_TOTALS = Group("needed_totals", trend=True)
NEEDED_COUNTS = Group("needed_counts", standardise=False)


class SpaceFeatures:
    """The columns of a space's networks by group, for ``LatencyPrior.of`` and ``LatencyModel.fit_prior``.

    Args:
        space: the space.
        needed: genes -> genes with what does not reach the output taken out, for spaces where that can be: some
            runtimes take it out too. Adds the groups ``NEEDED_TOTALS`` and ``NEEDED_COUNTS``.
    """

    def __init__(self, space: SearchSpace, needed: Callable[[Genes], Genes] | None = None) -> None:
        self.space, self._needed = space, needed
        self._totals = PopulationTable(space, structural_terms, np.float64)
        self._stages = [
            PopulationTable(space, structural_terms, np.float64, only=partial(_within, stage))
            for stage in _stages(space)
        ]
        self._same_choice = _same_choice(space)
        by_stage = [STAGES] if self._stages else []
        by_need = [NEEDED_TOTALS, NEEDED_COUNTS] if needed else []
        self.groups = (TOTALS, COUNTS, *by_stage, ONE_HOT, *by_need)

    def __call__(self, genes: Genes) -> dict[str, Array]:
        """Return a matrix of (n, d) for each group."""
        one_hot = np.asarray(self.space.one_hot(genes), dtype=np.float64)
        found = {"totals": self._totals(genes), "counts": one_hot @ self._same_choice, "one_hot": one_hot}
        if self._stages:
            found["stages"] = np.hstack([table(genes) for table in self._stages])
        if self._needed:
            needed = self._needed(genes)
            found["needed_totals"] = self._totals(needed)
            found["needed_counts"] = np.asarray(self.space.one_hot(needed), dtype=np.float64) @ self._same_choice
        return found


def _stages(space: SearchSpace) -> list[str]:
    """Return the stages by name; none where all depend on the same knobs, since the totals then say as much."""
    knobs: dict[str, set[str]] = {}
    for position, names in space.position_knobs().items():
        if "." in position:
            knobs.setdefault(position.partition(".")[0], set()).update(names)
    return list(knobs) if len({frozenset(names) for names in knobs.values()}) > 1 else []


def _within(stage: str, position: str) -> bool:
    return position.partition(".")[0] == stage


def _same_choice(space: SearchSpace) -> Array:
    """Return (one-hot columns, counts): which column counts for which choice; knobs of equal values count together."""
    columns: dict[tuple[object, ...], int] = {}
    places = [columns.setdefault((knob.values, value), len(columns)) for knob in space.knobs for value in knob.values]
    return np.eye(len(columns))[places]
