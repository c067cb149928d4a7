import numpy as np
import pytest

from predictors.rounds import Rounds, time_in_rounds


def test_each_is_visited_once_a_round_after_a_run_that_does_not_count():
    calls, clock = [], iter(range(1000))
    functions = [lambda index=index: calls.append(index) for index in range(3)]

    def stopwatch(function):
        function()
        return float(next(clock))

    found = time_in_rounds(functions, num_rounds=4, num_runs=2, seed=5, num_threads=1, stopwatch=stopwatch)
    assert found.runs_ms.shape == (3, 4, 2)
    visits = np.array(calls).reshape(4, 3, 3)
    assert all(sorted(round_[:, 0]) == [0, 1, 2] for round_ in visits)
    assert (visits == visits[:, :, :1]).all()
    assert len({tuple(round_[:, 0]) for round_ in visits}) > 1
    assert sorted(found.runs_ms.ravel()) == list(range(24))


def test_the_order_follows_the_seed():
    def order(seed):
        calls = []
        functions = [lambda index=index: calls.append(index) for index in range(8)]
        time_in_rounds(functions, num_rounds=2, num_runs=1, seed=seed, num_threads=1, stopwatch=lambda f: f() or 1.0)
        return calls

    assert order(1) == order(1) != order(2)


def test_bursts_of_other_work_do_not_move_the_latency():
    rng = np.random.default_rng(0)
    true_ms = np.linspace(1.0, 2.0, 30)
    runs = true_ms[:, None, None] * rng.normal(1.0, 0.005, (30, 20, 5))
    # Two visits of three meet other work that makes them up to three times slower.
    runs *= np.where(rng.random((30, 20, 1)) < 0.67, rng.uniform(1.2, 3.0, (30, 20, 1)), 1.0)
    found = Rounds(runs)
    assert np.abs(found.latency_ms / true_ms - 1).max() < 0.02
    assert np.median(found.median_ms / true_ms - 1) > 0.1


def test_the_spread_is_over_visits_not_runs():
    runs = np.ones((1, 4, 3))
    runs[0, :, 1:] = 50.0
    assert Rounds(runs).spread_ms == pytest.approx([0.0])
