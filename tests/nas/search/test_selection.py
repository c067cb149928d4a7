import numpy as np
import pytest

from nas.search.objectives import make_objective
from nas.search.selection import accuracy_interval, best_under, choose, choose_kept, knee_point
from search_spaces.errors import UsageError

OBJECTIVES = (make_objective("macs"), make_objective("latency_ms@t4"), make_objective("accuracy"))
TWO = OBJECTIVES[1:]
# latency ms, accuracy %: steep up to row 2, flat after it.
FRONT = np.array([[1.0, 60.0], [2.0, 75.0], [3.0, 89.0], [5.0, 90.0], [8.0, 91.0], [9.0, 92.0]])


def test_knee_is_where_the_front_bends():
    assert knee_point(FRONT, TWO) == 2
    assert knee_point(FRONT[:1], TWO) == 0


def test_knee_does_not_depend_on_units():
    assert knee_point(FRONT * [1000.0, 0.01], TWO) == 2


def test_best_under_keeps_limits():
    assert best_under(FRONT, TWO, "accuracy", {"latency_ms@t4": 5.0}) == 3
    assert best_under(FRONT, TWO, "latency_ms@t4", {"accuracy": 89.5}) == 3
    assert best_under(FRONT, TWO, "accuracy", {}) == 5


def test_best_under_names_the_nearest_and_unknown_objectives():
    with pytest.raises(
        UsageError, match=r"none of 6 networks keeps latency_ms@t4 0.5 ms: the nearest, number 0, has l"
    ):
        best_under(FRONT, TWO, "accuracy", {"latency_ms@t4": 0.5})
    with pytest.raises(
        UsageError, match=r"unknown objective of this front 'latency_ms@t5'.*allowed: accuracy, latency"
    ):
        best_under(FRONT, TWO, "accuracy", {"latency_ms@t5": 0.5})


def test_choose_takes_best_fastest_knee_then_spreads():
    assert choose(FRONT, TWO, 1) == [5]
    assert choose(FRONT, TWO, 2) == [5, 0]
    assert choose(FRONT, TWO, 3) == [5, 0, 2]
    assert choose(FRONT, TWO, 4) == [5, 0, 2, 1]
    assert sorted(choose(FRONT, TWO, 99)) == list(range(6))


def test_choose_prefers_latency_over_counts_whatever_their_order():
    values = np.array([[5.0, 3.0, 92.0], [1.0, 2.0, 60.0], [4.0, 1.0, 70.0], [3.0, 1.5, 88.0]])
    assert choose(values, OBJECTIVES, 4) == [0, 2, 3, 1]


def test_choose_on_a_front_of_copies():
    assert sorted(choose(np.tile(FRONT[:1], (4, 1)), TWO, 3)) == [0, 1, 2]
    with pytest.raises(UsageError, match="choose 0 networks: give at least 1"):
        choose(FRONT, TWO, 0)


def test_accuracy_interval_covers_and_repeats():
    correct = np.arange(500) % 10 != 0
    low, high = accuracy_interval(correct, seed=1)
    assert (low, high) == accuracy_interval(correct, seed=1)
    assert low < 90.0 < high
    # Normal approximation: 1.96 sqrt(.9 * .1 / 500) = 2.63 points each side.
    assert high - low == pytest.approx(5.26, rel=0.1)
    narrow = accuracy_interval(correct, seed=1, confidence=0.5)
    assert low < narrow[0] < narrow[1] < high


def test_accuracy_interval_of_certain_and_of_no_images():
    assert accuracy_interval(np.ones(20, dtype=bool), seed=0) == (100.0, 100.0)
    with pytest.raises(UsageError, match="at least 1 image: got 0"):
        accuracy_interval(np.array([], dtype=bool), seed=0)
    with pytest.raises(UsageError, match="confidence is 95: allowed: between 0 and 1"):
        accuracy_interval(np.ones(3, dtype=bool), seed=0, confidence=95)


def kept_of(refused, num=2, most=10):
    objectives = [make_objective("accuracy"), make_objective("latency_ms@cpu", upper=10.0)]
    values = np.array([[90.0, 9.9], [85.0, 7.0], [80.0, 5.0], [70.0, 2.0], [84.0, 9.0]])
    asked = []

    def keeps(row):
        asked.append(row)
        return row not in refused

    found = choose_kept(values, objectives, np.ones(5, dtype=bool), num, keeps, most)
    assert len(asked) == len(set(asked)) <= most
    return found


def test_a_choice_that_breaks_its_bound_when_measured_gives_way():
    assert kept_of(()) == ([0, 3], [])
    assert kept_of((0,)) == ([1, 3], [0])
    # Row 4 comes to the front once those that dominate it are left out.
    assert kept_of((0, 1)) == ([4, 3], [0, 1])


def test_the_first_choice_stands_where_none_holds():
    assert kept_of((0, 1, 2, 3, 4)) == ([0, 3], [])
    assert kept_of((0, 1), most=3) == ([0, 3], [])
