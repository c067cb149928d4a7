from __future__ import annotations

import math
from collections.abc import Sequence

from experiments.evaluated import evaluated_table, thin
from experiments.report.table import MAX_ROWS, EvaluatedTable, TableColumn
from experiments.store.store import Store
from predictors.measurement import Measurement
from search_spaces.spaces import space

NUM = 3 * MAX_ROWS // 2
KNEE, CHOSEN = NUM // 3, 12_345


def table(accuracy: Sequence[float | None], latency_ms: Sequence[float]) -> EvaluatedTable:
    columns = (
        TableColumn(name="accuracy", title="a", unit="%", direction="max", obtained=(), values=tuple(accuracy)),
        TableColumn(name="latency_ms", title="l", unit="ms", direction="min", obtained=(), values=tuple(latency_ms)),
    )
    keys = tuple(map(str, range(len(accuracy))))
    return EvaluatedTable(keys=keys, labels=keys, chosen=(CHOSEN,), columns=columns, num_evaluated=len(keys))


def test_of_a_front_of_very_many_the_ends_the_knee_and_the_chosen_are_kept_and_the_rest_counted() -> None:
    # Ten times as steep before the knee as behind it.
    accuracy = [10.0 * min(row, KNEE) + max(0, row - KNEE) for row in range(NUM)]
    found = thin(table(accuracy, [float(row) for row in range(NUM)]))
    assert len(found.keys) == MAX_ROWS
    assert {"0", str(NUM - 1), str(KNEE), str(CHOSEN)} <= set(found.keys)
    assert found.keys[found.chosen[0]] == str(CHOSEN)
    assert found.num_evaluated == NUM
    assert found.num_front_left_out == NUM - MAX_ROWS
    gaps = [int(b) - int(a) for a, b in zip(found.keys, found.keys[1:], strict=False)]
    assert max(gaps) <= 4


def test_a_front_of_few_is_kept_whole() -> None:
    on_front = range(0, NUM, 100)
    accuracy = [float(row) if row in on_front else None for row in range(NUM)]
    found = thin(table(accuracy, [float(row) for row in range(NUM)]))
    assert len(found.keys) == MAX_ROWS
    assert set(map(str, on_front)) <= set(found.keys)
    assert found.num_front_left_out == 0


def test_a_small_table_is_left_as_it_is() -> None:
    small = table([1.0] * (CHOSEN + 1), [1.0] * (CHOSEN + 1))
    assert thin(small) is small


def test_the_table_of_a_running_study_is_what_its_evaluations_measured(url: str) -> None:
    family = space("ofa_mobilenet", form="small_image")
    networks = [family.smallest(), family.largest()]
    with Store.open(url) as store:
        study = store.study("s", {}, seed=0)
        with study.held("test"):
            for number, network in enumerate(networks):
                found = (
                    Measurement("validation_accuracy", 90.0 + number, "%", "measured"),
                    Measurement("latency_ms", math.nan if number else 2.0, "ms", "table", target="made"),
                )
                study.begin("evaluation", network.key)
                study.finish("evaluation", network.key, {}, found, network)
            timed = [Measurement("latency_ms", 9.0, "ms", "measured", target="cpu")]
            study.begin("measurement", "m")
            study.finish("measurement", "m", {}, timed, networks[0])
        made = evaluated_table(study)
    assert made.keys == tuple(network.key for network in networks)
    assert [(column.name, column.unit, column.obtained, column.values) for column in made.columns] == [
        ("validation_accuracy", "%", ("measured",), (90.0, 91.0)),
        ("latency_ms@made", "ms", ("table",), (2.0, None)),
    ]
    assert {knob.name for knob in made.knobs} == dict(networks[1].choices).keys() | dict(networks[0].choices).keys()
