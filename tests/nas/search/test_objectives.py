import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from nas.search.objectives import (
    Objective,
    ObjectiveConfig,
    fronts_of,
    is_feasible,
    make_objective,
    make_objectives,
    to_minimised,
    total_violation,
    violations,
)
from search_spaces.errors import UsageError

ACCURACY = make_objective("accuracy", lower=90.0)
LATENCY = make_objective("latency_ms@t4:fp16:b1", lower=0.0, upper=2.0)
NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "direction", "unit"),
    [
        ("accuracy", "max", "%"),
        ("latency_ms@h100:bf16:b32", "min", "ms"),
        ("latency_p95_ms@h100:bf16:b32", "min", "ms"),
        ("energy_mj@h100:bf16:b32", "min", "mJ"),
        ("macs", "min", "count"),
        ("params", "min", "count"),
        ("activations", "min", "count"),
        ("peak_memory_bytes", "min", "bytes"),
    ],
)
def test_direction_and_unit_follow_from_the_name(name, direction, unit):
    objective = make_objective(name)
    assert (objective.direction, objective.unit) == (direction, unit)


def test_target_is_what_follows_the_at_sign():
    assert make_objective("latency_ms@h100:bf16:b32").target == "h100:bf16:b32"
    assert make_objective("macs").target == ""
    assert make_objective("latency_p95_ms@cpu").quantity == "latency_p95_ms"
    assert make_objective("macs").quantity == "macs"


def test_a_front_of_a_target_holds_all_that_is_on_it():
    names = ["latency_ms@a", "accuracy", "energy_mj@b", "latency_p95_ms@a", "latency_ms@b", "macs"]
    assert fronts_of([make_objective(name) for name in names]) == [[1, 5, 0, 3], [1, 5, 2, 4]]
    assert fronts_of([make_objective(name) for name in ("accuracy", "latency_ms@a", "energy_mj@a")]) == [[0, 1, 2]]


@pytest.mark.parametrize(
    "name", ["latency", "latency_ms", "latency_ms@", "latency_ms@TARGET", "energy_mj", "macs@a", "a@b@c", ""]
)
def test_unknown_name_lists_what_is_allowed(name):
    with pytest.raises(UsageError, match=r"unknown objective .*allowed: accuracy.*latency_ms@TARGET"):
        make_objective(name)


def test_bounds_in_the_wrong_order_are_named():
    with pytest.raises(UsageError, match="'macs' got lower 5 above upper 4"):
        make_objective("macs", lower=5, upper=4)


class Config(BaseModel):
    objectives: list[ObjectiveConfig]


def test_config_takes_a_name_or_a_table():
    config = Config.model_validate({"objectives": ["accuracy", {"name": "macs", "upper": 5e8}]})
    assert make_objectives(config.objectives) == (
        Objective("accuracy", "max", "%", best=100.0),
        Objective("macs", "min", "count", upper=5e8),
    )


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ("accurcy", ("objectives", 0, "name"), "did you mean 'accuracy'"),
        ({"name": "macs", "max": 1}, ("objectives", 0, "max"), "Extra inputs"),
        ({"name": "macs", "upper": "inf"}, ("objectives", 0, "upper"), "finite"),
        ({"name": "macs", "lower": 2, "upper": 1}, ("objectives", 0), "above upper"),
    ],
)
def test_config_errors_show_the_path(given, path, message):
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"objectives": [given]})
    [error] = caught.value.errors()
    assert error["loc"] == path
    assert message in error["msg"]


def test_objectives_keep_their_order_and_are_distinct():
    names = ["params", "accuracy", "macs"]
    assert [each.name for each in make_objectives([ObjectiveConfig(name=name) for name in names])] == names
    with pytest.raises(UsageError, match="'macs' is given twice"):
        make_objectives([ObjectiveConfig(name="macs"), ObjectiveConfig(name="macs", upper=3)])
    with pytest.raises(UsageError, match="no objective is given: name at least one of accuracy"):
        make_objectives([])


def test_to_minimised_flips_what_is_maximised_and_back():
    values = np.array([[91.0, 1.5], [0.0, NAN]])
    flipped = to_minimised(values, [ACCURACY, LATENCY])
    np.testing.assert_array_equal(flipped, [[-91.0, 1.5], [0.0, NAN]])
    np.testing.assert_array_equal(to_minimised(flipped, [ACCURACY, LATENCY]), values)
    assert not np.signbit(flipped[1, 0])


def test_violations_have_a_column_a_bound_and_are_relative():
    values = np.array([[45.0, 3.0], [99.0, -1.0], [NAN, 2.0]])
    expected = [[0.5, -3.0, 0.5], [-0.1, 1.0, -1.5], [NAN, -2.0, 0.0]]
    np.testing.assert_allclose(violations(values, [ACCURACY, LATENCY]), expected)
    np.testing.assert_allclose(total_violation(values, [ACCURACY, LATENCY]), [1.0, 1.0, 0.0])


def test_violations_without_bounds_have_no_column():
    assert violations(np.zeros((3, 1)), [make_objective("macs")]).shape == (3, 0)


def test_feasible_needs_finite_values_within_bounds():
    values = np.array([[90.0, 2.0], [89.9, 1.0], [95.0, NAN], [np.inf, 1.0], [95.0, 2.1]])
    assert is_feasible(values, [ACCURACY, LATENCY]).tolist() == [True, False, False, False, False]


def test_describe_gives_value_and_unit():
    assert LATENCY.describe(1.23456789) == "latency_ms@t4:fp16:b1 1.23457 ms"
    assert make_objective("macs").describe(1200) == "macs 1200"


@pytest.mark.parametrize(
    ("name", "bounds", "message"),
    [
        ("accuracy", {"lower": 101}, "no network has more than 100 %"),
        ("accuracy", {"upper": -1}, "no network has so little"),
        ("macs", {"upper": 0}, "raise it above 0"),
        ("latency_ms@t4", {"upper": -2}, "objective 'latency_ms@t4' got upper -2"),
    ],
)
def test_bounds_that_no_network_can_keep_are_named(name, bounds, message):
    with pytest.raises(UsageError, match=message):
        make_objective(name, **bounds)
