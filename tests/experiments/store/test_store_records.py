from __future__ import annotations

import math

import pytest

from experiments.store.store import Store, Study
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.errors import StorageError

SMALL = Architecture("toy", "{}", (("depth", 1),))
LARGE = Architecture("toy", "{}", (("depth", 2),))


def measurement(value: float, obtained: str = "measured", **given: object) -> Measurement:
    return Measurement("latency_ms", value, "ms", obtained, **given)  # type: ignore[arg-type]


@pytest.fixture
def study(store: Store) -> Study:
    study = store.study("a", {}, seed=0)
    study.take("r")
    accuracy = Measurement("validation_accuracy", 97.5, "%", "measured", spread=0.5, versions={"torch": "2.13"})
    guess = measurement(3.5, "predicted", target="h200", spread=math.nan)
    work = [
        ("evaluation", "large", LARGE, [accuracy, measurement(2.25, target="cpu"), guess]),
        ("measurement", "small", SMALL, [measurement(math.inf, target="cpu"), measurement(math.nan)]),
        ("training", "supernet", None, [Measurement("loss", -math.inf, "nat", "measured")]),
    ]
    for kind, key, architecture, measurements in work:
        study.begin(kind, key)
        study.finish(kind, key, {}, measurements, architecture)
    return study


def test_measurements_come_back_as_they_were(study: Study) -> None:
    (key, accuracy), (_, latency), (_, guess) = study.measurements()[:3]
    assert key == LARGE.key
    assert accuracy == Measurement("validation_accuracy", 97.5, "%", "measured", spread=0.5, versions={"torch": "2.13"})
    assert latency == measurement(2.25, target="cpu")
    assert guess == measurement(3.5, "predicted", target="h200", spread=None)


def test_values_that_are_not_finite_come_back_as_nan(study: Study) -> None:
    found = study.measurements()[3:]
    assert [(key, math.isnan(value.value)) for key, value in found] == [
        (SMALL.key, True),
        (SMALL.key, True),
        ("", True),
    ]


def test_measurements_of_one_quantity_and_target(study: Study) -> None:
    assert [value.quantity for _, value in study.measurements(quantity="validation_accuracy")] == [
        "validation_accuracy"
    ]
    assert [key for key, _ in study.measurements(target="cpu")] == [LARGE.key, SMALL.key]
    assert [value.value for _, value in study.measurements(quantity="latency_ms", target="h200")] == [3.5]
    assert study.measurements(quantity="macs") == []


@pytest.mark.parametrize("obtained", ["measured", "predicted", "analytic", "table"])
def test_how_a_value_was_obtained_is_stored_verbatim(store: Store, obtained: str) -> None:
    with store.study("b", {}, seed=0).held("r") as study:
        study.begin("evaluation", "k")
        study.finish("evaluation", "k", {}, [measurement(1.0, obtained)])
    assert [value.obtained for _, value in study.measurements()] == [obtained]


def test_nothing_else_can_be_stored_as_obtained(study: Study) -> None:
    study.begin("evaluation", "k")
    with pytest.raises(StorageError, match="obtained"):
        study.finish("evaluation", "k", {}, [measurement(1.0, "Measured")])


def test_the_frame_is_long(study: Study) -> None:
    frame = study.frame()
    assert frame[["architecture", "quantity", "target", "obtained", "status", "kind", "key"]].to_numpy().tolist() == [
        [LARGE.key, "validation_accuracy", "", "measured", "finite", "evaluation", "large"],
        [LARGE.key, "latency_ms", "cpu", "measured", "finite", "evaluation", "large"],
        [LARGE.key, "latency_ms", "h200", "predicted", "finite", "evaluation", "large"],
        [SMALL.key, "latency_ms", "cpu", "measured", "inf", "measurement", "small"],
        [SMALL.key, "latency_ms", "", "measured", "nan", "measurement", "small"],
        ["", "loss", "", "measured", "-inf", "training", "supernet"],
    ]
    assert frame["value"].fillna(-1).tolist() == [97.5, 2.25, 3.5, -1, -1, -1]
    assert frame["spread"].fillna(-1).tolist() == [0.5, -1, -1, -1, -1, -1]


def test_an_empty_frame_has_the_same_columns(store: Store, study: Study) -> None:
    empty = store.study("empty", {}, seed=0).frame()
    assert len(empty) == 0
    assert empty.dtypes.equals(study.frame().dtypes)


def test_studies_do_not_see_each_other(store: Store, study: Study) -> None:
    other = store.study("b", {}, seed=0)
    assert (other.done("evaluation"), other.attempts("evaluation"), other.measurements()) == ({}, {}, [])
    assert (other.architectures(), other.artifacts()) == ({}, [])
