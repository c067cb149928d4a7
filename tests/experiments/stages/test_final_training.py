"""A chosen network fine-tuned or re-trained: what was tried, what was written, and what the files say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from nas_command import Nas
from tiny_study import ANALYTIC

from experiments.config import make_config, read_config
from experiments.stages.final_training import recipe
from nas.data.splits import load_data
from nas.export.safetensors import load_model
from nas.finetune import finetune
from nas.tasks import make_task
from search_spaces.building import build
from search_spaces.errors import UsageError

SHORT = (
    "networks=1",
    "training.epochs=1",
    "search.evaluations=4",
    "search.compare=[]",
    "search.settings.num_initial=3",
    "search.settings.num_offspring=1",
    "finetuning.start=random",
    "finetuning.epochs=6",
    "finetuning.batch_size=32",
    "finetuning.learning_rate=3e-3",
)


@pytest.mark.slow
def test_a_retrained_network_is_the_network_alone_from_random_weights(tmp_path: Path, nas: Nas) -> None:
    path = tmp_path / "digits.toml"
    path.write_text(ANALYTIC, encoding="utf-8")
    nas("run", path, "--out", tmp_path / "runs", *(f"--set={text}" for text in SHORT))
    config = read_config(path, SHORT)
    folder = tmp_path / "runs" / config.name
    report = json.loads((folder / "report.json").read_text())
    [network] = report["networks"]
    values = {each["name"]: each for each in network["quantities"]}
    assert not any("fine_tuned" in name for name in values)
    assert values["test_accuracy_re_trained"]["recipe"] == "re-trained 6 epochs alone"
    # The supernetwork has passed over the images once, for all its networks.
    kinds = ("validation_accuracy_re_trained", "validation_accuracy")
    best, inherited = (values[name]["quantity"]["value"] for name in kinds)
    assert best > inherited

    written, info = load_model(folder / "models" / network["label"])
    data = load_data(config.data, config.seed)
    begin = build(info.blueprint, seed=config.seed)
    again = finetune(begin, info.blueprint, data, config.finetuning, config.augmentation, config.seed)
    states = written.state_dict(), again.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])

    card = (folder / "models" / network["label"] / "README.md").read_text()
    assert "Inherited weights: a prefix of one shared set" in card
    assert "Re-training: 6 epochs alone from random weights, adamw, learning rate 0.003" in card
    assert "batch 32, seed 0." in card
    value = values["test_accuracy_re_trained"]["quantity"]["value"]
    assert f"| re-trained | test | {value:.2f} % |" in card
    assert "| inherited | test |" in card
    assert "fine-tun" not in card.lower()
    page = (folder / "report.html").read_text()
    assert "Test, re-trained" in page
    exported = json.loads(nas("export", config.name, network["label"], "--out", tmp_path / "runs", "--json").out)
    assert exported["weights"] == "re-trained"
    assert {score["weights"] for score in exported["scores"]} == {"inherited", "re-trained"}


@pytest.mark.parametrize(
    ("given", "name", "told"),
    [({}, "fine-tuned", "5 epochs alone, adamw"), ({"start": "random"}, "re-trained", "5 epochs alone from random")],
)
def test_the_recipe_says_what_was_tried_and_which_weights_the_files_hold(
    given: dict[str, str], name: str, told: str
) -> None:
    config, task = make_config({"name": "a", "finetuning": given}, "test"), make_task("classification")
    kept, dropped = recipe(config, task, name), recipe(config, task, "inherited")  # type: ignore[arg-type]
    assert kept is not None
    assert kept.startswith(told)
    assert "label smoothing 0.1" in kept
    assert dropped is not None
    assert dropped.startswith(f"tried ({told}")
    assert "left out: on validation images the inherited weights do better" in dropped


def test_without_epochs_there_is_no_recipe() -> None:
    config = make_config({"name": "a", "finetuning": {"epochs": 0}}, "test")
    assert recipe(config, make_task("classification"), "inherited") is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"start": "random", "epochs": 0}, r"finetuning.*epochs 0: nothing would be re-trained: give epochs of 1"),
        ({"start": "scratch"}, r"finetuning.start.*'inherited' or 'random'"),
    ],
)
def test_a_start_that_cannot_be_is_named(given: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make_config({"name": "a", "finetuning": given}, "test")


def test_a_study_of_before_keeps_its_settings() -> None:
    assert "start" not in make_config({"name": "a"}, "test").model_dump(mode="json")["finetuning"]
