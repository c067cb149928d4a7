from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_sweep import invented_study, tiny_plan

from experiments.store.store import Store
from experiments.sweep.findings import is_finished, sweep_findings
from experiments.sweep.plan import SweepPlan
from experiments.talk import Talk


def findings(folder: Path, plan: SweepPlan, num: int | None = None) -> dict[str, Any]:
    """Return the findings after the first ``num`` studies of a plan."""
    with Store.open(str(folder / "nas.db")) as store:
        for each in plan.combinations[:num]:
            invented_study(each.config, store, folder, Talk(quiet=True), "test")
        return sweep_findings(plan, store, folder, {})


def test_each_study_has_its_values_and_numbers(tmp_path: Path) -> None:
    found = findings(tmp_path, tiny_plan(tmp_path, "seed=0,2", "training.sampler=uniform,sorted"))
    first, second, third, _ = found["studies"]
    assert (first["training.sampler"], first["seed"], first["state"]) == ("uniform", 0, "done")
    # Of the study's own algorithm: the network of 99 % is of the one that it is compared with.
    assert [row["best_validation_accuracy_percent"] for row in (first, second, third)] == [63.0, 68.0, 65.0]
    assert [row["evaluations"] for row in found["studies"]] == [4] * 4
    assert [row["test_accuracy_percent"] for row in (first, third)] == [50.0, 52.0]
    assert found["unfinished"] == []
    assert "front 1: validation_accuracy (measured), latency_ms@h100:bf16:b32 (analytic)" in found["notes"]


def test_the_hypervolume_is_that_of_the_box_around_all_fronts(tmp_path: Path) -> None:
    found = findings(tmp_path, tiny_plan(tmp_path, "seed=0,1"))
    # 60..63 % and 61..64 % at 1..4 ms, in the box 60..64 % and 1..4 ms with a tenth beyond, by hand: each network is
    # a step of a third of the latency and a fourth of the accuracy above the reference of 59.6 % and 4.3 ms.
    steps = [(1.1 - number / 3, 0.25) for number in range(1, 4)]
    lower = (1.1 * 0.1 + sum(width * height for width, height in steps)) / 1.21
    upper = (1.1 * 0.35 + sum(width * height for width, height in steps)) / 1.21
    assert [row["hypervolume"] for row in found["studies"]] == pytest.approx([lower, upper])


def test_each_strategy_has_mean_and_spread_over_its_seeds(tmp_path: Path) -> None:
    found = findings(tmp_path, tiny_plan(tmp_path, "seed=0,2", "training.sampler=uniform,sorted"))
    uniform, ordered = found["strategies"]
    assert (uniform["training.sampler"], ordered["training.sampler"]) == ("uniform", "sorted")
    assert (uniform["seeds"], uniform["best_validation_accuracy_percent"]) == (2, 64.0)
    assert uniform["best_validation_accuracy_percent_spread"] == pytest.approx(2**0.5)
    assert ordered["best_validation_accuracy_percent"] == 69.0
    # The seeds are paired: two points more with seed 2 for both is no noise.
    assert found["smallest_difference"]["best_validation_accuracy_percent"] == 0


def test_what_did_not_finish_is_told_and_left_out_of_the_means(tmp_path: Path) -> None:
    found = findings(tmp_path, tiny_plan(tmp_path, "seed=0,2", "training.sampler=uniform,sorted"), num=3)
    assert found["unfinished"] == ["tiny-sampler-sorted-seed-2"]
    assert (found["studies"][3]["state"], "hypervolume" in found["studies"][3]) == ("failed", False)
    uniform, ordered = found["strategies"]
    assert (uniform["seeds"], ordered["seeds"]) == (2, 1)
    assert ordered["best_validation_accuracy_percent_spread"] is None
    assert found["smallest_difference"] == {}


def test_hypervolumes_of_other_targets_are_kept_apart(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, 'latency.targets=["h100:bf16:b32"],["orin:fp16:b1"]', "seed=0,1")
    found = findings(tmp_path, plan)
    assert [row["front"] for row in found["studies"]] == [1, 2, 1, 2]
    one, other, *_ = found["studies"]
    assert one["hypervolume"] == other["hypervolume"]
    assert any("front 2: validation_accuracy (measured), latency_ms@orin" in note for note in found["notes"])
    assert any("different objectives: best_validation and test compare" in note for note in found["notes"])
    assert "hypervolume" not in found["smallest_difference"]
    assert "best_validation_accuracy_percent" in found["smallest_difference"]


def test_a_front_alone_has_no_hypervolume(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, 'latency.targets=["h100:bf16:b32"],["orin:fp16:b1"]')
    assert [row["hypervolume"] for row in findings(tmp_path, plan)["studies"]] == [None, None]


@pytest.mark.parametrize(("upper", "within"), [(70.0, [68, 69]), (67.5, [67, 67])])
def test_within_bounds_only_networks_count_that_keep_them(tmp_path: Path, upper: float, within: list[float]) -> None:
    objectives = f"search.objectives=[{{name='accuracy', upper={upper}}}, 'latency_ms@h100:bf16:b32']"
    found = findings(tmp_path, tiny_plan(tmp_path, "seed=0,1", overrides=[objectives]))
    assert [row["within_bounds_validation_accuracy_percent"] for row in found["studies"]] == within
    assert [row["best_validation_accuracy_percent"] for row in found["studies"]] == [68, 69]


def test_scores_of_other_images_are_said_not_to_compare(tmp_path: Path) -> None:
    found = findings(tmp_path, tiny_plan(tmp_path, "data.max_images=200,300"))
    assert any("of other images" in note for note in found["notes"])


def test_a_study_is_finished_once_its_report_is_there(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, "seed=0,1")
    findings(tmp_path, plan, num=1)
    names = [each.config.name for each in plan.combinations]
    with Store.open(str(tmp_path / "nas.db")) as store:
        assert [is_finished(store, tmp_path, name) for name in names] == [True, False]
        (tmp_path / names[0] / "report.json").unlink()
        assert not is_finished(store, tmp_path, names[0])
