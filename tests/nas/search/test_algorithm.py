import numpy as np
import pytest
from pydantic import ValidationError
from toy_search import OBJECTIVES, toy_algorithm, toy_space, toy_values

from nas.search.algorithm import algorithms
from nas.search.algorithms.nsga2 import Nsga2Settings
from search_spaces.errors import UsageError

SPACE = toy_space(4)


def test_every_algorithm_keeps_the_contract():
    """The contract of ask: canonical, new, and a function of the seed and the told values."""
    assert {"nsga2", "random"} <= set(algorithms.names())
    for name in algorithms.names():
        first, second = (toy_algorithm(name, SPACE, seed=3) for _ in range(2))
        asked: set[bytes] = set()
        for _ in range(8):
            genes = first.ask()
            np.testing.assert_array_equal(second.ask(), genes)
            np.testing.assert_array_equal(SPACE.canonical(genes), genes)
            rows = {row.tobytes() for row in genes}
            assert len(rows) == len(genes)
            assert not rows & asked
            asked |= rows
            for algorithm in (first, second):
                algorithm.tell(genes, toy_values(SPACE, genes))


def test_unknown_algorithm_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"unknown search algorithm 'nsga': did you mean .*'nsga2'"):
        algorithms.get("nsga")


def test_told_values_change_what_nsga2_asks():
    first, second = (toy_algorithm("nsga2", SPACE) for _ in range(2))
    genes = first.ask()
    np.testing.assert_array_equal(second.ask(), genes)
    first.tell(genes, toy_values(SPACE, genes))
    second.tell(genes, toy_values(SPACE, genes, table=1))
    assert not np.array_equal(first.ask(), second.ask())


def test_told_rows_are_never_asked():
    """Rows of an earlier study may be told before the first ask."""
    space = toy_space(1)
    for name in algorithms.names():
        algorithm = toy_algorithm(name, space)
        genes = toy_algorithm("random", space, seed=9).ask()
        algorithm.tell(genes, toy_values(space, genes))
        known = {row.tobytes() for row in genes}
        while len(rows := algorithm.ask()):
            assert not known & {row.tobytes() for row in rows}
            algorithm.tell(rows, toy_values(space, rows))
            known |= {row.tobytes() for row in rows}
        assert len(known) == space.size()


def test_nsga2_asks_for_the_size_of_its_settings():
    algorithm = toy_algorithm("nsga2", SPACE, num_initial=12, num_offspring=5)
    sizes = []
    for _ in range(3):
        genes = algorithm.ask()
        sizes.append(len(genes))
        algorithm.tell(genes, toy_values(SPACE, genes))
    assert sizes == [12, 5, 5]


def test_nsga2_fills_its_first_population_after_failures():
    algorithm = toy_algorithm("nsga2", SPACE, num_initial=10, num_offspring=4)
    genes = algorithm.ask()
    values = toy_values(SPACE, genes)
    values[:7] = np.nan
    algorithm.tell(genes, values)
    assert len(algorithm.ask()) == 7


def test_settings_are_checked():
    with pytest.raises(ValidationError, match="max_population_size 5 is below population_size 10"):
        Nsga2Settings(max_population_size=5)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Nsga2Settings.model_validate({"generations": 5})
    assert Nsga2Settings().num_offspring == 8
    assert len(OBJECTIVES) == 2
