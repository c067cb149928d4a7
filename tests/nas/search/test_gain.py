import numpy as np
import pytest

from nas.search.gain import Gain
from nas.search.objectives import make_objective
from nas.search.predictions import Prediction

OBJECTIVES = (make_objective("accuracy"), make_objective("latency_ms@a"), make_objective("latency_ms@b"))
LOSSES = np.array([[40.0, 1.0, 8.0], [20.0, 4.0, 2.0], [10.0, 9.0, 9.0]])


def exact(rows):
    return [Prediction(column, np.zeros(len(rows))) for column in np.asarray(rows, dtype=np.float64).T]


def gain_of(fronts, feasible=(True, True, True), objectives=OBJECTIVES):
    return Gain(objectives, fronts, LOSSES, np.array(feasible), seed=0)


def test_the_gain_of_two_targets_is_the_sum_of_both():
    predictions = exact([[15.0, 2.0, 8.5], [30.0, 0.5, 1.0], [50.0, 9.5, 9.5]])
    found = {}
    for name, fronts in {"a": [[0, 1]], "b": [[0, 2]], "both": [[0, 1], [0, 2]]}.items():
        gain = gain_of(fronts)
        gain.set_reference(predictions)
        found[name] = gain(predictions, gain.front)
    np.testing.assert_allclose(found["both"], found["a"] + found["b"])
    assert found["a"][0] > 0
    # Worst in everything that is told or expected: it adds nothing.
    assert found["both"][2] == pytest.approx(0.0, abs=1e-9)


def test_units_of_a_target_do_not_matter():
    predictions = exact([[15.0, 2.0, 8.5], [30.0, 0.5, 1.0]])
    gain = gain_of([[0, 1], [0, 2]])
    gain.set_reference(predictions)
    micro = np.array([1.0, 1000.0, 1.0])
    other = Gain(OBJECTIVES, [[0, 1], [0, 2]], LOSSES * micro, np.ones(3, dtype=bool), seed=0)
    scaled = exact(np.array([[15.0, 2.0, 8.5], [30.0, 0.5, 1.0]]) * micro)
    other.set_reference(scaled)
    np.testing.assert_allclose(gain(predictions, gain.front), other(scaled, other.front), rtol=1e-6)


def test_rows_on_any_front_are_parents_and_infeasible_ones_are_not():
    np.testing.assert_array_equal(gain_of([[0, 1], [0, 2]]).on_a_front(), [0, 1, 2])
    np.testing.assert_array_equal(gain_of([[0, 2]]).on_a_front(), [1, 2])
    np.testing.assert_array_equal(gain_of([[0, 1]], feasible=(True, False, True)).on_a_front(), [0, 2])


def test_a_row_above_a_bound_gains_nothing():
    objectives = (OBJECTIVES[0], make_objective("latency_ms@a", upper=1.5), OBJECTIVES[2])
    gain = gain_of([[0, 1], [0, 2]], objectives=objectives)
    predictions = exact([[15.0, 2.0, 1.0], [30.0, 0.5, 1.0]])
    gain.set_reference(predictions)
    first, second = gain(predictions, gain.front)
    assert first == 0.0
    assert second > 0.0
