"""The Pareto front of what a study's database rows hold, at any moment of the study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.store.store import Study
from nas.search.objectives import Objective, Values, make_objective, to_minimised
from nas.search.pareto import non_dominated
from nas.tasks import metrics
from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

ALIASES = {f"validation_{name}": name for name in metrics()}
"""Stored quantities that an objective knows by another name."""


@dataclass(frozen=True)
class StoredFront:
    """All evaluations of a study under some objectives, and which of them no other one dominates.

    Attributes:
        objectives: columns of ``values``.
        sequences: (n,), the evaluations by their order of finishing; those with a value missing are left out.
        values: (n, num_objectives), natural units.
        mask: (n,), on the front.
    """

    objectives: tuple[Objective, ...]
    sequences: NDArray[np.int64]
    values: Values
    mask: NDArray[np.bool_]

    @property
    def minimised(self) -> Values:
        """The front's values, (front, num_objectives), less is better."""
        return to_minimised(self.values[self.mask], self.objectives)


def stored_front(study: Study, objectives: Sequence[str] = ()) -> StoredFront:
    """Return the front of a study from its rows.

    Args:
        study: any; it may run.
        objectives: names; by default every stored column that is one.

    Raises:
        UsageError: a name is no objective or is not stored, or the study has no evaluation with objectives.
    """
    frame = study.values().rename(columns=ALIASES)
    chosen = _objectives(frame, objectives, study.name)
    values = frame[[objective.name for objective in chosen]].to_numpy()
    known = ~np.isnan(values).any(axis=1)
    values = values[known]
    mask = non_dominated(to_minimised(values, chosen))
    return StoredFront(chosen, frame.index.to_numpy()[known], values, mask)


def _objectives(frame: pd.DataFrame, names: Sequence[str], study: str) -> tuple[Objective, ...]:
    stored = [str(name) for name in frame if is_objective(str(name))]
    for name in names:
        make_objective(name)
        if name not in stored:
            raise unknown("stored objective", name, stored)
    if not stored:
        raise UsageError(f"study {study!r} has no evaluation with stored objectives yet: run it first")
    return tuple(map(make_objective, names or stored))


def is_objective(column: str) -> bool:
    """Return whether a column of values is an objective."""
    try:
        make_objective(column)
    except UsageError:
        return False
    return True
