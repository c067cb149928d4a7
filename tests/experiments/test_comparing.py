from __future__ import annotations

import pytest

from experiments.comparing import compare_studies
from experiments.store.store import Store, Study
from predictors.measurement import Measurement
from search_spaces.errors import UsageError

# Accuracy in percent, latency in ms.
FIRST = [(90.0, 10.0), (80.0, 5.0), (70.0, 6.0)]
SECOND = [(90.0, 12.0), (85.0, 5.0)]


def study(store: Store, name: str, rows: list[tuple[float, float]], target: str = "t", **settings: object) -> Study:
    found = store.study(name, settings, seed=0)
    with found.held("r"):
        for index, (accuracy, latency_ms) in enumerate(rows):
            found.begin("evaluation", str(index))
            measured = [
                Measurement("validation_accuracy", accuracy, "%", "measured"),
                Measurement("latency_ms", latency_ms, "ms", "predicted", target=target),
            ]
            found.finish("evaluation", str(index), {}, measured)
    return found


def test_two_studies_side_by_side(tmp_path: object) -> None:
    with Store.open(f"{tmp_path}/nas.db") as store:
        first, second = study(store, "a", FIRST, epochs=1), study(store, "b", SECOND, epochs=2)
        found = compare_studies(first, second)
        assert found["objectives"] == ["accuracy", "latency_ms@t"]
        one, two = found["studies"]
        assert (one["evaluations"], one["front_size"], two["front_size"]) == (3, 2, 2)
        # (80, 5) is dominated by (85, 5); (90, 12) by (90, 10).
        assert (one["covered_by_other"], two["covered_by_other"]) == (0.5, 0.5)
        assert (one["best accuracy"], one["best latency_ms@t"]) == (90.0, 5.0)
        # In the box 80..90 % and 5..12 ms with a tenth beyond: two rectangles each, by hand.
        assert one["hypervolume"] == pytest.approx((0.1 * 1.1 + 1.0 * (1.1 - 5 / 7)) / 1.21)
        assert two["hypervolume"] == pytest.approx((0.6 * 1.1 + 0.5 * 0.1) / 1.21)
        assert found["settings_that_differ"] == ["epochs: a: 1, b: 2"]


def test_studies_on_other_targets_have_the_accuracy_in_common(tmp_path: object) -> None:
    with Store.open(f"{tmp_path}/nas.db") as store:
        found = compare_studies(study(store, "a", FIRST, "t"), study(store, "b", SECOND, "u"))
        assert found["objectives"] == ["accuracy"]
        with pytest.raises(UsageError, match="has no evaluation"):
            compare_studies(store.load("a"), store.study("c", {}, seed=0))
