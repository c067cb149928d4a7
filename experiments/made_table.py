"""A table that is made and not measured: every network of a space gets an accuracy and a latency by a formula.

For trying and testing what surrounds a search, at no cost: the values mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nas.search.objectives import Objective, Values, make_objective
from nas.search.search import HypervolumeBox
from predictors.measurement import Obtained
from search_spaces.space import Genes, SearchSpace

MADE = "made"


@dataclass(frozen=True)
class Table:
    """What a tabular search reads.

    Attributes:
        space: the space.
        objectives: accuracy, and the latency on a target.
        evaluate: genes -> values (n, 2), natural units.
        box: of the hypervolume.
        obtained: how the values were obtained.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    evaluate: Callable[[Genes], Values]
    box: HypervolumeBox
    obtained: Obtained = "analytic"


def made_table(space: SearchSpace, seed: int = 0) -> Table:
    """Return a table in which every knob costs latency in proportion, and gains accuracy with its square root."""
    rng = np.random.default_rng(seed)
    cost_ms, gain = rng.uniform(0.1, 1.0, (2, len(space.knobs)))
    widest = np.maximum(np.asarray(space.num_choices) - 1, 1)

    def evaluate(genes: Genes) -> Values:
        # Knobs that are not active have the index -1.
        share = np.maximum(genes, 0) / widest
        accuracy = 50.0 + 45.0 * (np.sqrt(share) @ gain) / gain.sum()
        return np.column_stack([accuracy, 1.0 + share @ cost_ms])

    objectives = (make_objective("accuracy"), make_objective(f"latency_ms@{MADE}"))
    box = HypervolumeBox(objectives, (95.0, 1.0), (50.0, 1.0 + float(cost_ms.sum())))
    return Table(space, objectives, evaluate, box)
