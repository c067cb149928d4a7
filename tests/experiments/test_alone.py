from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tuning_plans import tiny_config

from experiments.alone import AloneRun, alone_settings, finished, recipe, train_alone
from experiments.study_space import make_study_space
from nas.training.settings import TrainingSettings


@pytest.fixture
def run(tmp_path: Path) -> AloneRun:
    config = tiny_config()
    knobs = dict(make_study_space(config, 1, 10).smallest().choices)
    return AloneRun(config.model_dump(mode="json"), knobs, 0.01, 48, 0, tmp_path)


def test_what_only_several_networks_have_is_left_out() -> None:
    many = TrainingSettings(
        sampler="sandwich", networks_per_step=4, distillation="kl", weight_decay=0.3, sort_channels_at=0.5
    )
    found = alone_settings(many, 0.007)
    assert (found.sampler, found.networks_per_step, found.distillation) == ("uniform", 1, None)
    assert (found.sort_channels_at, found.learning_rate, found.weight_decay) == (None, 0.007, 0.3)
    outside = alone_settings(many.model_copy(update={"teacher": "models/N1"}), 0.007)
    assert outside.distillation == "kl"


def test_a_run_goes_on_and_ends_the_same(run: AloneRun, tmp_path: Path) -> None:
    at_once = train_alone(run)
    assert (at_once["num_steps"], run.num_images) == (3, 48)
    again = train_alone(run)
    for split in ("validation", "test"):
        assert at_once[f"{split}_accuracy"] == again[f"{split}_accuracy"]
    assert [path.name for path in tmp_path.iterdir()] == [run.name]


def test_finished_runs_are_not_trained_again(run: AloneRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished([run], tmp_path, 1)
    monkeypatch.setattr("experiments.alone.train_alone", lambda _: pytest.fail("it was trained again"))
    assert finished([run], tmp_path, 1) == first


def test_every_part_of_a_run_is_in_its_name(run: AloneRun) -> None:
    others = [
        run,
        replace(run, learning_rate=0.02),
        replace(run, num_images=64),
        replace(run, seed=1),
        replace(run, knobs={**run.knobs, "stage2.depth": 2}),
    ]
    assert len({each.name for each in others}) == len(others)


def test_the_recipe_says_what_the_networks_alone_were_trained_with() -> None:
    found = recipe(tiny_config(), 0.02, 480)
    assert (found["images"], found["learning_rate"], found["batch_size"]) == (480, 0.02, 16)
    assert not {"sampler", "epochs", "networks_per_step"} & set(found)
