from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from table_files import EDGES

from experiments.benchmarks.tabular_spaces import needed_cell, read_space
from search_spaces.errors import UsageError
from search_spaces.spaces import space

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_a_cell_becomes_the_genes_of_its_network() -> None:
    table = pd.DataFrame([[3, 0, 1, 2, 4, 3]], columns=list(EDGES))
    features, genes = read_space("nb201", table)
    [architecture] = features.space.decode(genes)
    cell = [value for name, value in architecture.values.items() if name.startswith("cell.")]
    assert cell == ["nor_conv_3x3", "none", "skip_connect", "nor_conv_1x1", "avg_pool_3x3", "nor_conv_3x3"]


def test_what_does_not_reach_the_output_is_taken_out() -> None:
    """Node 1 leads nowhere in the first cell, node 2 in the second."""
    fixed = [0, 0, 0]
    genes = np.array([[*fixed, 3, 2, 0, 1, 0, 4], [*fixed, 3, 2, 3, 1, 2, 0]], dtype=np.int16)
    assert needed_cell(genes).tolist() == [[*fixed, 0, 2, 0, 1, 0, 4], [*fixed, 3, 0, 0, 1, 2, 0]]


def test_cells_without_none_are_needed_whole() -> None:
    cells = np.array([[0, 0, 0, *cell] for cell in product((1, 4), repeat=6)], dtype=np.int16)
    assert (needed_cell(cells) == cells).all()


def test_unknown_spaces_missing_columns_and_choices_are_named() -> None:
    with pytest.raises(UsageError, match="unknown space of tables 'nb20': did you mean 'nb201'"):
        read_space("nb20", pd.DataFrame())
    with pytest.raises(UsageError, match=r"nb201/architectures.parquet lacks the columns"):
        read_space("nb201", pd.DataFrame({"op_1<-0": [0]}))
    with pytest.raises(UsageError, match=r"knob .cell.node1_from0. the index 9: allowed: 0 to 4"):
        read_space("nb201", pd.DataFrame([[9] * 6], columns=list(EDGES)))


@pytest.mark.skipif(not DATA.is_dir(), reason="public tables are not in ../shared/data")
@pytest.mark.parametrize(("name", "rows"), [("fbnet", 5000), ("ofa", 5000)])
def test_public_tables_are_networks_of_the_spaces(name: str, rows: int) -> None:
    features, genes = read_space(name, pd.read_parquet(DATA / name / "architectures.parquet"))
    assert len(genes) == rows
    assert {group: matrix.shape[0] for group, matrix in features(genes).items()} == dict.fromkeys(
        (group.name for group in features.groups), rows
    )
    assert (features.space.canonical(genes) == genes).all()


@pytest.mark.skipif(not DATA.is_dir(), reason="public tables are not in ../shared/data")
def test_the_counted_macs_are_those_of_the_table() -> None:
    table = pd.read_parquet(DATA / "nb201" / "architectures.parquet")[:40]
    found = space("nb201")
    features, genes = read_space("nb201", table)
    assert features.space.settings == found.settings
    from search_spaces.block import cost

    assert [cost(found.blueprint(each)).macs for each in found.decode(genes)] == table.macs.tolist()
