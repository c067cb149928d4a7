import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from toy_search import BOX, OBJECTIVES, toy_algorithm, toy_space, toy_values

from nas.search.objectives import make_objective, to_minimised
from nas.search.pareto import non_dominated
from nas.search.population import all_rows
from nas.search.search import HypervolumeBox, run_search
from search_spaces.errors import NasError, UsageError

NAMES = ("random", "nsga2")
SPACE = toy_space(4)


class Recorder:
    """Evaluates and keeps every row that it got."""

    def __init__(self, space=SPACE, table: int = 0) -> None:
        self.space, self.table, self.rows = space, table, []

    def __call__(self, genes):
        self.rows += [row.tobytes() for row in genes]
        return toy_values(self.space, genes, self.table)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("budget", [1, 7, 16, 53])
def test_budget_is_spent_exactly_on_distinct_architectures(name, budget):
    evaluate = Recorder()
    result = run_search(toy_algorithm(name, SPACE), evaluate, budget, BOX)
    assert len(evaluate.rows) == len(set(evaluate.rows)) == budget
    assert [row.tobytes() for row in result.genes] == evaluate.rows
    np.testing.assert_array_equal(SPACE.canonical(result.genes), result.genes)
    np.testing.assert_array_equal(result.values, toy_values(SPACE, result.genes))


@pytest.mark.parametrize("name", NAMES)
def test_a_space_smaller_than_the_budget_is_searched_whole(name):
    space = toy_space(1)
    evaluate = Recorder(space)
    result = run_search(toy_algorithm(name, space), evaluate, 1000, BOX)
    assert len(set(evaluate.rows)) == len(evaluate.rows) == space.size()
    values = toy_values(space, all_rows(space))
    front = values[non_dominated(to_minimised(values, OBJECTIVES))]
    np.testing.assert_array_equal(np.unique(result.values[result.front], axis=0), np.unique(front, axis=0))


@pytest.mark.parametrize("name", NAMES)
def test_result_and_generations_agree(name):
    seen = []
    result = run_search(toy_algorithm(name, SPACE), Recorder(), 60, BOX, on_generation=seen.append)
    assert [each.index for each in seen] == list(range(len(seen)))
    np.testing.assert_array_equal(np.concatenate([each.genes for each in seen]), result.genes)
    np.testing.assert_array_equal(np.concatenate([each.values for each in seen]), result.values)
    np.testing.assert_array_equal(result.generations, np.repeat(range(len(seen)), [len(each.genes) for each in seen]))
    assert result.hypervolumes == [(each.num_evaluations, each.hypervolume) for each in seen]
    assert result.hypervolumes[-1] == (60, BOX.share(result.values[result.front]))
    shares = [share for _, share in result.hypervolumes]
    assert all(after >= before - 1e-12 for before, after in itertools.pairwise(shares))
    assert 0.0 < shares[0] <= shares[-1] < 1.0
    np.testing.assert_array_equal(result.front, non_dominated(to_minimised(result.values, OBJECTIVES)))


@pytest.mark.parametrize("name", NAMES)
def test_asks_depend_on_seed_and_told_values_alone(name):
    """Two processes with other hash seeds and another global generator write the same bytes."""
    folder = Path(__file__).parent
    outputs = []
    for number in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": number, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
        command = [sys.executable, str(folder / "toy_search.py"), name, number]
        outputs.append(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    assert len(outputs[0]) > 80 * 16
    assert outputs[0] == outputs[1]


class Killed(Exception):
    pass


class Database:
    """Evaluates each row once, and dies when it holds ``limit`` rows."""

    def __init__(self, limit: int) -> None:
        self.limit, self.rows = limit, {}

    def __call__(self, genes):
        for row in genes:
            if row.tobytes() not in self.rows:
                if len(self.rows) == self.limit:
                    raise Killed
                self.rows[row.tobytes()] = toy_values(SPACE, row[None])[0]
        return np.stack([self.rows[row.tobytes()] for row in genes])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("killed_after", [3, 16, 41])
def test_a_killed_search_replays_from_its_rows_to_the_same_result(name, killed_after):
    whole = run_search(toy_algorithm(name, SPACE, seed=5), Recorder(), 64, BOX)
    database = Database(killed_after)
    with pytest.raises(Killed):
        run_search(toy_algorithm(name, SPACE, seed=5), database, 64, BOX)
    database.limit = 64
    resumed = run_search(toy_algorithm(name, SPACE, seed=5), database, 64, BOX)
    np.testing.assert_array_equal(resumed.genes, whole.genes)
    np.testing.assert_array_equal(resumed.values, whole.values)
    np.testing.assert_array_equal(resumed.front, whole.front)
    assert resumed.hypervolumes == whole.hypervolumes


def test_another_seed_gives_another_search():
    first, second = (run_search(toy_algorithm("nsga2", SPACE, seed=seed), Recorder(), 40, BOX) for seed in (0, 1))
    assert not np.array_equal(first.genes, second.genes)


def bounded(**bounds):
    return (make_objective("accuracy"), make_objective("latency_ms@toy", **bounds))


def cheap(genes):
    values = toy_values(SPACE, genes)
    values[:, 0] = np.nan
    return values


@pytest.mark.parametrize("name", NAMES)
def test_cheap_bounds_cost_no_evaluation(name):
    objectives = bounded(upper=8.0)
    evaluate = Recorder()
    algorithm = toy_algorithm(name, SPACE, objectives=objectives)
    result = run_search(algorithm, evaluate, 40, BOX, evaluate_cheap=cheap)
    assert len(evaluate.rows) == 40
    assert (result.values[:, 1] <= 8.0).all()
    assert np.isfinite(result.values).all()
    assert result.num_rejected > 0


def test_cheap_columns_are_taken_from_evaluate_cheap():
    def evaluate(genes):
        values = toy_values(SPACE, genes)
        values[:, 1] = np.nan
        return values

    result = run_search(toy_algorithm("nsga2", SPACE), evaluate, 30, BOX, evaluate_cheap=cheap)
    np.testing.assert_array_equal(result.values, toy_values(SPACE, result.genes))


@pytest.mark.parametrize("name", NAMES)
def test_front_keeps_bounds_on_what_is_expensive(name):
    objectives = (make_objective("accuracy", lower=97.0), make_objective("latency_ms@toy"))
    result = run_search(toy_algorithm(name, SPACE, objectives=objectives), Recorder(), 60, BOX)
    feasible = result.values[:, 0] >= 97.0
    assert feasible.any()
    assert not feasible.all()
    assert not result.front[~feasible].any()
    np.testing.assert_array_equal(
        result.front[feasible], non_dominated(to_minimised(result.values[feasible], OBJECTIVES))
    )


def test_nsga2_reaches_bounds_that_random_rows_hardly_meet():
    objectives = bounded(lower=65.0)
    share = (toy_values(SPACE, SPACE.sample(np.random.default_rng(0), 20_000))[:, 1] >= 65.0).mean()
    result = run_search(toy_algorithm("nsga2", SPACE, objectives=objectives), Recorder(), 40, BOX, evaluate_cheap=cheap)
    assert len(result.genes) == 40
    assert (result.num_rejected + 40) * share < 4


@pytest.mark.parametrize("name", NAMES)
def test_bounds_that_nothing_meets_name_the_nearest(name):
    space = toy_space(2)
    least = toy_values(space, all_rows(space))[:, 1].min()
    algorithm = toy_algorithm(name, space, objectives=bounded(upper=least / 2))
    evaluate = Recorder(space)
    with pytest.raises(UsageError) as caught:
        run_search(algorithm, evaluate, 20, BOX, evaluate_cheap=lambda genes: toy_values(space, genes) * [np.nan, 1])
    message = str(caught.value)
    assert f"none of {space.size()} architectures meets the bounds latency_ms@toy <= {least / 2:g}" in message
    assert f"has latency_ms@toy {least:.6g} ms: relax the bounds" in message
    nearest = space.read(message.partition("it is ")[2])
    assert toy_values(space, space.encode([nearest]))[0, 1] == least
    assert nearest.key in message
    assert evaluate.rows == []


def test_bounds_on_what_is_expensive_name_the_nearest_too():
    objectives = (make_objective("accuracy", lower=100.0), make_objective("latency_ms@toy"))
    with pytest.raises(UsageError, match=r"none of 20 .* accuracy >= 100: the nearest, \w{16}, has accuracy .* %, lat"):
        run_search(toy_algorithm("nsga2", SPACE, objectives=objectives), Recorder(), 20, BOX)


def test_looking_stops_in_a_large_space():
    algorithm = toy_algorithm("random", SPACE, objectives=bounded(upper=1e-6), batch_size=1000)
    with pytest.raises(UsageError, match="none of 10000 architectures"):
        run_search(algorithm, Recorder(), 20, BOX, evaluate_cheap=cheap)


@pytest.mark.parametrize("name", NAMES)
def test_failed_networks_are_counted_and_never_on_the_front(name):
    def evaluate(genes):
        values = toy_values(SPACE, genes)
        values[genes[:, SPACE.column["operator"]] == 1, 0] = np.nan
        return values

    result = run_search(toy_algorithm(name, SPACE), evaluate, 60, BOX)
    failed = np.isnan(result.values[:, 0])
    assert len(result.genes) == 60
    assert failed.any()
    assert not result.front[failed].any()
    assert result.front.any()


@pytest.mark.parametrize("name", NAMES)
def test_a_search_whose_every_network_fails_says_so(name):
    with pytest.raises(NasError, match="all 30 evaluations failed"):
        run_search(toy_algorithm(name, SPACE), lambda genes: np.full((len(genes), 2), np.nan), 30, BOX)


class Wide:
    """The first columns of accuracy and two latencies."""

    def __init__(self, num_objectives: int) -> None:
        self.num_objectives = num_objectives

    def __call__(self, genes):
        both = [toy_values(SPACE, genes), toy_values(SPACE, genes, table=1)[:, 1:]]
        return np.concatenate(both, axis=1)[:, : self.num_objectives]


@pytest.mark.parametrize("name", NAMES)
def test_one_and_three_objectives(name):
    for objectives in (
        (make_objective("accuracy"),),
        (make_objective("accuracy"), make_objective("latency_ms@toy"), make_objective("params")),
    ):
        box = HypervolumeBox(objectives, (100.0, 0.0, 0.0)[: len(objectives)], (40.0, 60.0, 60.0)[: len(objectives)])

        result = run_search(toy_algorithm(name, SPACE, objectives=objectives), Wide(len(objectives)), 50, box)
        assert len(result.genes) == 50
        assert 0.0 < result.hypervolumes[-1][1] < 1.0


def test_wrong_arguments_are_named():
    with pytest.raises(UsageError, match="budget of 0 evaluations: give at least 1"):
        run_search(toy_algorithm("random", SPACE), Recorder(), 0, BOX)
    with pytest.raises(UsageError, match=r"'accuracy' runs from 40 to 100: .*better.* \(max\)"):
        HypervolumeBox(OBJECTIVES, ideal=(40.0, 0.0), reference=(100.0, 60.0))


@pytest.mark.parametrize("table", [0, 1, 2])
def test_nsga2_beats_random_search(table):
    """Ten seeds, 100 evaluations, one-sided Mann-Whitney: a gate on quality, no golden number."""
    shares = {
        name: [
            run_search(toy_algorithm(name, SPACE, seed=seed), Recorder(table=table), 100, BOX).hypervolumes[-1][1]
            for seed in range(10)
        ]
        for name in NAMES
    }
    assert mannwhitneyu(shares["nsga2"], shares["random"], alternative="greater").pvalue < 0.01


@pytest.mark.parametrize("name", ["random", "nsga2", "ehvi"])
def test_given_networks_are_evaluated_first_and_once(name):
    start = np.concatenate([SPACE.encode([SPACE.largest(), SPACE.smallest()]), SPACE.encode([SPACE.largest()])])
    evaluate = Recorder()
    result = run_search(toy_algorithm(name, SPACE), evaluate, 25, BOX, start=start)
    np.testing.assert_array_equal(result.genes[:2], start[:2])
    assert len(set(evaluate.rows)) == len(evaluate.rows) == 25


def test_more_given_networks_than_the_budget_are_cut_to_it():
    start = all_rows(toy_space(1))
    result = run_search(toy_algorithm("ehvi", toy_space(1)), Recorder(toy_space(1)), 5, BOX, start=start)
    np.testing.assert_array_equal(result.genes, start[:5])


def test_a_model_based_search_that_was_stopped_ends_in_the_same_front():
    """Stopped after any number of evaluations and begun again with what was evaluated by then."""
    known = {}

    def evaluate(genes, stop_at=None):
        values = []
        for row in genes:
            if row.tobytes() not in known:
                if len(known) == stop_at:
                    raise KeyboardInterrupt
                known[row.tobytes()] = toy_values(SPACE, row[None])[0]
            values.append(known[row.tobytes()])
        return np.array(values)

    whole = run_search(toy_algorithm("ehvi", SPACE), Recorder(), 30, BOX)
    for stop_at in (3, 9, 20):
        with pytest.raises(KeyboardInterrupt):
            run_search(toy_algorithm("ehvi", SPACE), lambda genes, at=stop_at: evaluate(genes, at), 30, BOX)
    again = run_search(toy_algorithm("ehvi", SPACE), evaluate, 30, BOX)
    np.testing.assert_array_equal(again.genes, whole.genes)
    np.testing.assert_array_equal(again.front, whole.front)
    assert len(known) == 30


def test_the_share_of_several_fronts_is_their_mean():
    objectives = (*OBJECTIVES, make_objective("latency_ms@other"))
    ideal, reference = (100.0, 0.0, 0.0), (40.0, 60.0, 60.0)
    values = np.array([[90.0, 30.0, 5.0], [60.0, 10.0, 40.0]])
    both = HypervolumeBox(objectives, ideal, reference, ((0, 1), (0, 2)))
    parts = [
        HypervolumeBox((objectives[0], objectives[i]), (100.0, 0.0), (40.0, 60.0)).share(values[:, [0, i]])
        for i in (1, 2)
    ]
    assert both.share(values) == pytest.approx(np.mean(parts))


def test_missing_evaluations_are_named_and_failed_ones_counted():
    with pytest.raises(NasError, match=r"of 10 networks gave values of shape \(9, 2\): give \(10, 2\), NaN"):
        run_search(toy_algorithm("random", SPACE), lambda genes: toy_values(SPACE, genes)[1:], 10, BOX)

    def every_second(genes):
        values = toy_values(SPACE, genes)
        values[::2, 0] = np.nan
        return values

    result = run_search(toy_algorithm("random", SPACE), every_second, 10, BOX)
    assert result.num_failed == 5
    assert len(result.genes) == 10
