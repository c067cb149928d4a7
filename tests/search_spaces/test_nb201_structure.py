import numpy as np

from search_spaces.nb201_cells import EDGES, OPERATORS
from search_spaces.nb201_structure import cell_structure, live_edges, live_one_hot, path_counts
from search_spaces.spaces import space


def cells(*named: dict[tuple[int, int], str]) -> np.ndarray:
    return np.array([[OPERATORS.index(cell.get(edge, "none")) for edge in EDGES] for cell in named])


def test_edges_that_lead_nowhere_are_not_live():
    # 1<-0 has no way on, 3<-2 nothing that comes in; 3<-0 alone joins input and output.
    given = cells({(1, 0): "nor_conv_3x3", (3, 2): "skip_connect", (3, 0): "nor_conv_1x1"})
    np.testing.assert_array_equal(live_edges(given), cells({(3, 0): "nor_conv_1x1"}))
    assert live_one_hot(given).sum() == len(EDGES)


def test_columns_count_operators_and_paths():
    conv, skip, pool = "nor_conv_3x3", "skip_connect", "avg_pool_3x3"
    full = cells({(1, 0): conv, (2, 0): pool, (2, 1): conv, (3, 0): skip, (3, 1): skip, (3, 2): "nor_conv_1x1"})
    [found] = cell_structure(full)
    # Paths: skip; 3x3 then skip; pooling then 1x1; 3x3, 3x3, 1x1.
    np.testing.assert_array_equal(found, [2, 1, 2, 1, 4, 1, 2, 0, 1, 3, 0, 2, 1, 1, 0])
    [empty] = cell_structure(cells({}))
    np.testing.assert_array_equal(empty, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1])


def test_paths_are_counted_by_their_operators():
    # Both paths of two edges are skip then 3x3; that of three is skip, skip, 3x3.
    skip, conv = "skip_connect", "nor_conv_3x3"
    edges = {(1, 0): skip, (2, 0): skip, (2, 1): skip, (3, 1): conv, (3, 2): conv}
    [found] = path_counts(cells(edges))
    expected = np.zeros(84)
    expected[4 + 4 * 0 + 2] = 2.0
    expected[20 + 16 * 0 + 4 * 0 + 2] = 1.0
    np.testing.assert_array_equal(found, expected)


def test_the_space_gives_its_structure_by_the_names_of_its_operators():
    fewer = space("nb201", operators=("nor_conv_3x3", "none"))
    genes = np.array([fewer.num_choices * 0])
    np.testing.assert_array_equal(fewer.structure(genes)["cell"][0, :4], [0, 0, 6, 0])
    assert space("fbnet", form="cifar").structure(genes) == {}
