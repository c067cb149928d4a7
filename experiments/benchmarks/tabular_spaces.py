"""The networks of public tables as genes of the spaces here, and what latency models read of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from search_spaces.errors import unknown

if TYPE_CHECKING:
    import pandas as pd

    from predictors.space_features import SpaceFeatures
    from search_spaces.space import Genes, SearchSpace

SPACES = ("nb201", "fbnet", "ofa")
NUM_OFA_STAGES, NUM_OFA_BLOCKS = 5, 4


def read_space(name: str, architectures: pd.DataFrame) -> tuple[SpaceFeatures, Genes]:
    """Return the features of a table's space and its architectures as genes of it.

    Raises:
        UsageError: an unknown space, a column that is missing, or a choice that the space lacks.
    """
    from experiments.benchmarks.tabular import require_columns

    if name not in SPACES:
        raise unknown("space of tables", name, SPACES)
    features = _features(name)
    found = features.space
    pairs = {"nb201": _nb201_columns, "fbnet": _fbnet_columns, "ofa": _ofa_columns}[name](found)
    require_columns(architectures, [column for column, _ in pairs.values()], f"{name}/architectures.parquet")
    genes = np.zeros((len(architectures), len(found.knobs)), dtype=np.int16)
    for knob, (column, index_of) in pairs.items():
        genes[:, found.column[knob]] = [index_of(value) for value in architectures[column].tolist()]
    return features, found.canonical(genes)


@cache
def _features(name: str) -> SpaceFeatures:
    """Return the features of a table's space; made once, since nb201's tables of 15,625 cells take seconds."""
    from predictors.space_features import SpaceFeatures
    from search_spaces.spaces import space

    if name == "nb201":
        return SpaceFeatures(space("nb201"), needed_cell)
    return SpaceFeatures(space("fbnet", form="cifar") if name == "fbnet" else space("ofa_mobilenet"))


Columns = dict[str, tuple[str, Callable[[int], int]]]


def _nb201_columns(_space: SearchSpace) -> Columns:
    from search_spaces.nb201_cells import EDGES
    from search_spaces.spaces.nb201 import edge_knob

    return {edge_knob(node, source): (f"op_{node}<-{source}", int) for node, source in EDGES}


def _fbnet_columns(space: SearchSpace) -> Columns:
    layers = [knob.name for knob in space.knobs if knob.name.endswith(".operator")]
    return {knob: (f"op_{layer}", int) for layer, knob in enumerate(layers)}


def _ofa_columns(space: SearchSpace) -> Columns:
    knobs = {knob.name: knob for knob in space.knobs}
    columns = {"resolution": "resolution"}
    for stage in range(NUM_OFA_STAGES):
        columns[f"stage{stage + 2}.depth"] = f"d_{stage}"
        for block in range(NUM_OFA_BLOCKS):
            slot = NUM_OFA_BLOCKS * stage + block
            columns[f"stage{stage + 2}.block{block + 1}.kernel"] = f"ks_{slot}"
            columns[f"stage{stage + 2}.block{block + 1}.expansion"] = f"e_{slot}"
    return {name: (column, knobs[name].index) for name, column in columns.items()}


def needed_cell(genes: Genes) -> Genes:
    """Return genes of nb201 with the edges from which the cell's output can't be reached set to ``none``."""
    from search_spaces.nb201_cells import EDGES, OPERATORS

    first = genes.shape[1] - len(EDGES)
    none = OPERATORS.index("none")
    reached = np.zeros((len(genes), 4), dtype=bool)
    reached[:, 3] = True
    found = genes.copy()
    for edge, (node, source) in reversed(list(enumerate(EDGES))):
        operator = genes[:, first + edge]
        reached[:, source] |= reached[:, node] & (operator != none)
        found[~reached[:, node], first + edge] = none
    return found
