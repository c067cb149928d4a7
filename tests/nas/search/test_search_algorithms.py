import numpy as np
import pytest
from toy_search import BOX, OBJECTIVES, toy_algorithm, toy_space, toy_values

from nas.search.algorithm import algorithms
from nas.search.algorithms.linas import fit_predictor
from nas.search.algorithms.local_search import neighbours
from nas.search.algorithms.regularised_evolution import num_better
from nas.search.objectives import make_objective
from nas.search.search import run_search
from search_spaces.errors import UsageError

SPACE = toy_space(4)
NAMES = [name for name in algorithms.names() if name != "random"]


def searched(name, budget=60, objectives=OBJECTIVES, cheap=None, values=toy_values, **settings):
    algorithm = toy_algorithm(name, SPACE, seed=1, objectives=objectives, **settings)
    return run_search(algorithm, lambda genes: values(SPACE, genes), budget, BOX, evaluate_cheap=cheap)


def known_latency(genes):
    values = toy_values(SPACE, genes)
    values[:, 0] = np.nan
    return values


def test_the_registered_algorithms():
    expected = {"ctaea", "ehvi", "linas", "local_search", "motpe", "nsga2", "nsga3", "random", "regularised_evolution"}
    assert {*expected, "agemoea", "unsga3"} <= set(algorithms.names())


@pytest.mark.parametrize("name", NAMES)
def test_failed_networks_and_bounds_are_borne(name):
    """Every third network fails; half of the space is too slow. The front holds neither."""
    objectives = (make_objective("accuracy"), make_objective("latency_ms@toy", upper=25.0))

    def values(space, genes):
        found = toy_values(space, genes)
        found[genes.sum(axis=1) % 3 == 0] = np.nan
        return found

    result = searched(name, 70, objectives, values=values)
    assert len(result.genes) == 70
    assert len(np.unique(result.genes, axis=0)) == 70
    front = result.values[result.front]
    assert len(front) > 0
    assert np.isfinite(front).all()
    assert (front[:, 1] <= 25.0).all()


@pytest.mark.parametrize("costs", ["evaluated", "known"])
def test_ehvi_finds_more_than_evolution(costs):
    cheap = known_latency if costs == "known" else None
    assert searched("ehvi", 45, cheap=cheap).hypervolumes[-1][1] > searched("nsga2", 45).hypervolumes[-1][1]


def test_ehvi_asks_for_rows_within_a_known_bound():
    objectives = (make_objective("accuracy"), make_objective("latency_ms@toy", upper=10.0))
    algorithm = toy_algorithm("ehvi", SPACE, objectives=objectives)
    algorithm.use_cheap(known_latency)
    genes = SPACE.sample(np.random.default_rng(0), 60)
    algorithm.tell(genes, toy_values(SPACE, genes))
    assert (toy_values(SPACE, algorithm.ask())[:, 1] <= 10.0).all()


def test_ehvi_may_optimise_one_objective():
    objectives = (make_objective("accuracy"), make_objective("latency_ms@toy", upper=15.0))
    one = searched("ehvi", 45, objectives, known_latency, optimise="accuracy")
    both = searched("ehvi", 45, objectives, known_latency)
    assert one.values[one.front, 0].max() >= both.values[both.front, 0].max()
    with pytest.raises(UsageError, match="unknown objective to optimise 'acuracy': did you mean 'accuracy'"):
        toy_algorithm("ehvi", SPACE, optimise="acuracy")


def test_ehvi_takes_three_objectives():
    objectives = (*OBJECTIVES, make_objective("macs"))
    algorithm = toy_algorithm("ehvi", SPACE, objectives=objectives)
    for _ in range(4):
        genes = algorithm.ask()
        values = toy_values(SPACE, genes)
        algorithm.tell(genes, np.column_stack([values, np.maximum(genes, 0).sum(axis=1) * 1e6]))
    assert len(algorithm.ask()) == 3


def test_several_targets_have_a_front_each():
    """What is added for two targets is the sum of both fronts, one row at a time; one joint front asks for others."""
    objectives = (*OBJECTIVES, make_objective("latency_ms@other"))
    genes = SPACE.sample(np.random.default_rng(0), 30)
    values = toy_values(SPACE, genes)
    values = np.column_stack([values, toy_values(SPACE, genes, table=1)[:, 1]])
    asked = {}
    for fronts in ("each_target", "joint"):
        for settings in ({}, {"batch_size": 12}):
            algorithm = toy_algorithm("ehvi", SPACE, objectives=objectives, fronts=fronts, **settings)
            algorithm.tell(genes, values)
            asked[fronts, len(settings)] = algorithm.ask()
    assert [len(rows) for rows in asked.values()] == [1, 12, 3, 12]
    assert not np.array_equal(asked["each_target", 1], asked["joint", 1])


@pytest.mark.parametrize("name", ["ehvi", "linas", "motpe"])
def test_rows_told_twice_change_nothing_but_what_was_unknown(name):
    algorithm = toy_algorithm(name, SPACE)
    genes = SPACE.sample(np.random.default_rng(0), 30)
    algorithm.tell(np.concatenate([genes, genes]), toy_values(SPACE, np.concatenate([genes, genes])))
    asked = {row.tobytes() for row in algorithm.ask()}
    assert asked
    assert not asked & {row.tobytes() for row in genes}


def test_neighbours_differ_in_one_knob():
    row = SPACE.encode([SPACE.smallest()])
    near = neighbours(SPACE, row)
    changed = (near != row) & (row >= 0)
    np.testing.assert_array_equal(changed.sum(axis=1), 1)
    assert len(near) == int((SPACE.num_choices[row[0] >= 0] - 1).sum())


def test_tournaments_prefer_feasible_then_near_then_better_then_not_failed():
    objectives = (make_objective("accuracy"), make_objective("latency_ms@toy", upper=10.0))
    values = np.array([[90.0, 5.0], [80.0, 6.0], [99.0, 11.0], [99.0, 20.0], [np.nan, 5.0]])
    np.testing.assert_array_equal(num_better(values, objectives), [0, 1, 2, 3, 4])


def test_the_predictor_of_linas_follows_a_sum():
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 2, (80, 6)).astype(float)
    values = 2000.0 + inputs @ np.array([100.0, 200.0, 50.0, 400.0, 10.0, 300.0])
    predicted = fit_predictor(inputs[:60], values[:60])(inputs[60:])
    np.testing.assert_allclose(predicted, values[60:], rtol=0.02)
