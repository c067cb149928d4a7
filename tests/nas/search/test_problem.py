import numpy as np
import pytest
from toy_search import OBJECTIVES, toy_space, toy_values

from nas.search.objectives import make_objective
from nas.search.population import SeenRows, all_rows
from nas.search.problem import ArchitectureProblem, Evolution, change_one_knob

SPACE = toy_space(4)


def sample(num: int, seed: int = 0):
    return SPACE.sample(np.random.default_rng(seed), num)


def test_problem_is_vectorised_and_minimises():
    problem = ArchitectureProblem(SPACE, OBJECTIVES)
    genes = sample(20)
    values = toy_values(SPACE, genes)
    objectives, broken = problem.evaluate(genes, values=values)
    assert not problem.elementwise
    np.testing.assert_array_equal(objectives, values * [-1, 1])
    np.testing.assert_array_equal(broken, np.zeros((20, 1)))


def test_problem_orders_feasible_then_violation_then_failed():
    objectives = (make_objective("accuracy", lower=80.0), make_objective("latency_ms@toy", upper=10.0))
    problem = ArchitectureProblem(SPACE, objectives)
    nan, inf = float("nan"), float("inf")
    values = np.array([[90.0, 9.0], [40.0, 20.0], [nan, 12.0], [nan, 9.0], [90.0, -inf], [-inf, inf]])
    points, broken = problem.evaluate(sample(6), values=values)
    np.testing.assert_allclose(broken[:, 0], [0.0, 1.5, 0.2, 1e9, 1e9, 1e9])
    assert np.isfinite(points).all()


def test_change_one_knob_changes_exactly_one_and_stays_canonical():
    genes = sample(3000)
    changed = change_one_knob(SPACE, np.random.default_rng(1), genes)
    np.testing.assert_array_equal(SPACE.canonical(changed), changed)
    both_active = (genes >= 0) & (changed >= 0)
    assert ((genes != changed) & both_active).sum(axis=1).tolist() == [1] * len(genes)
    moved = np.unique(np.nonzero((genes != changed) & both_active)[1])
    assert moved.tolist() == list(range(len(SPACE.knobs)))


def test_change_one_knob_leaves_a_space_without_choice_alone():
    space = toy_space(1)
    fixed = space.canonical(np.zeros((4, len(space.knobs)), dtype=np.int16))
    depth = space.column["depth"]
    assert (change_one_knob(space, np.random.default_rng(0), fixed)[:, depth] == 0).all()


def evolution(seen: SeenRows, space=SPACE, objectives=OBJECTIVES, sizes=(6, 12)) -> Evolution:
    return Evolution(space, objectives, seen, seed=3, population_sizes=sizes, crossover_probability=0.5)


def test_children_are_new_canonical_and_distinct():
    seen = SeenRows()
    genes = sample(20)
    seen.add(genes)
    evolved = evolution(seen)
    evolved.survive(genes, toy_values(SPACE, genes))
    children = evolved.children(30)
    assert len(children) == 30
    assert seen.new(children) == list(range(30))
    np.testing.assert_array_equal(SPACE.canonical(children), children)


def test_children_run_out_when_every_row_was_seen():
    space, seen = toy_space(1), SeenRows()
    rows = all_rows(space)
    seen.add(rows)
    evolved = evolution(seen, space)
    evolved.survive(rows[:20], toy_values(space, rows[:20]))
    assert evolved.children(5).shape == (0, len(space.knobs))


@pytest.mark.parametrize(("front", "expected"), [(1, 6), (9, 9), (30, 12)])
def test_population_is_as_large_as_the_front_within_its_sizes(front, expected):
    genes = np.unique(sample(80, seed=5), axis=0)[:50]
    steps = np.arange(50.0)
    # The first rows lie on one front, the others on worse points that dominate one another.
    on_front = np.stack([50.0 + steps, 1.0 + steps], axis=1)
    dominated = np.stack([20.0 - steps / 10, 60.0 + steps], axis=1)
    values = np.where(steps[:, None] < front, on_front, dominated)
    evolved = evolution(SeenRows())
    evolved.survive(genes[:2], values[:2])
    evolved.survive(genes[2:], values[2:])
    assert len(evolved.parents()) == expected


def test_survivors_without_a_feasible_row_are_the_least_violating():
    objectives = (make_objective("accuracy"), make_objective("latency_ms@toy", upper=1.0))
    genes = np.unique(sample(40, seed=5), axis=0)[:30]
    values = np.stack([np.full(30, np.nan), 2.0 + np.arange(30)[::-1]], axis=1)
    evolved = evolution(SeenRows(), objectives=objectives)
    evolved.survive(genes[:10], values[:10])
    evolved.survive(genes[10:], values[10:])
    kept = {row.tobytes() for row in evolved.parents()}
    assert kept == {row.tobytes() for row in genes[-6:]}
    assert len(evolved.children(8)) == 8
