"""Two studies side by side: settings that differ, and what each front has that the other lacks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.store.store import Study
from experiments.store.values import differences, encode
from experiments.stored_front import StoredFront, stored_front
from nas.search.pareto import Points, hypervolume, normalise
from search_spaces.errors import UsageError

MAX_DIFFERENCES = 100


def compare_studies(first: Study, second: Study) -> dict[str, Any]:
    """Return the comparison as plain data.

    The objectives are those that both studies store. Hypervolumes are shares of the box around both fronts, so they
    hold for this pair alone. ``covered_by_other``: the share of a front that a network of the other one dominates or
    equals (the C metric of Zitzler and Thiele 1999).

    Raises:
        UsageError: they have no objective in common, or one has no evaluation.
    """
    fronts = [stored_front(first), stored_front(second)]
    stored = [[objective.name for objective in front.objectives] for front in fronts]
    common = [name for name in stored[0] if name in stored[1]]
    if not common:
        raise UsageError(
            f"studies {first.name!r} and {second.name!r} have no objective in common: {', '.join(stored[0])} "
            f"and {', '.join(stored[1])}"
        )
    if stored[0] != common or stored[1] != common:
        fronts = [stored_front(study, common) for study in (first, second)]
    points = [front.minimised for front in fronts]
    volumes = shared_hypervolumes(points)
    sides = []
    for study, front, volume, mine, other in zip(
        (first, second), fronts, volumes, points, reversed(points), strict=True
    ):
        sides.append(
            {
                "study": study.name,
                "state": study.state,
                "evaluations": len(front.values),
                "front_size": len(mine),
                "hypervolume": volume,
                "covered_by_other": float(np.mean([bool((other <= point).all(axis=1).any()) for point in mine])),
                **_best(front),
            }
        )
    changed = differences(
        encode({"seed": first.seed, **first.settings}, "settings"),
        encode({"seed": second.seed, **second.settings}, "settings"),
    )
    return {
        "objectives": common,
        "studies": sides,
        "settings_that_differ": [
            line.replace("stored ", f"{first.name}: ").replace("given ", f"{second.name}: ")
            for line in itertools.islice((line for line in changed if not line.startswith("name:")), MAX_DIFFERENCES)
        ],
    }


def shared_hypervolumes(fronts: Sequence[Points]) -> list[float]:
    """Return the hypervolume of each front as a share of the box around all of them: it holds for these fronts alone.

    Args:
        fronts: minimised values, (n, num_objectives) each.
    """
    together = np.concatenate(fronts)
    ideal, worst = together.min(axis=0), together.max(axis=0)
    # A little beyond the box: a network at its edge counts too.
    reference = np.full(together.shape[1], 1.1)
    return [hypervolume(normalise(front, ideal, worst), reference) / float(reference.prod()) for front in fronts]


def _best(front: StoredFront) -> dict[str, float]:
    """Return the best value of each objective."""
    return {
        f"best {objective.name}": float((column.min if objective.direction == "min" else column.max)())
        for objective, column in zip(front.objectives, front.values.T, strict=True)
    }
