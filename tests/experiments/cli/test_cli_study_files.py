"""What a study that was run to its end has left: front.json, front.csv, models, cards, report, database."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from tiny_study import TinyStudy

from experiments.config import read_config
from nas.data.splits import load_data
from nas.export.safetensors import load_model
from search_spaces.block import cost
from search_spaces.blueprint import blueprint_from_dict
from search_spaces.spaces import space

MODEL_FILES = {"README.md", "architecture.json", "model.onnx", "model.safetensors"}


def front_of(study: TinyStudy) -> dict[str, Any]:
    return json.loads((study.folder / "front.json").read_text())


def report_of(study: TinyStudy) -> dict[str, Any]:
    return json.loads((study.folder / "report.json").read_text())


def models_of(study: TinyStudy) -> list[Path]:
    return sorted((study.folder / "models").iterdir())


def value_of(network: dict[str, Any], name: str) -> float:
    [found] = [each["quantity"]["value"] for each in network["quantities"] if each["name"] == name]
    return float(found)


def test_the_folder_holds_what_the_readme_promises(study: TinyStudy) -> None:
    names = {path.name for path in study.folder.iterdir()}
    assert names == {"checkpoints", "curves.csv", "front.csv", "front.json", "models", "report.html", "report.json"}
    assert len(models_of(study)) == 2
    for folder in models_of(study):
        assert {path.name for path in folder.iterdir()} == MODEL_FILES


def test_front_json_describes_networks_of_the_space(study: TinyStudy) -> None:
    content = front_of(study)
    assert content["objectives"] == ["accuracy", "latency_ms@h100:bf16:b32", "latency_ms@orin:fp16:b1"]
    assert set(content["fronts"]) == {"h100:bf16:b32", "orin:fp16:b1"}
    settings = content["space"]["settings"]
    found = space(content["space"]["name"], **settings)
    assert (settings["in_channels"], settings["num_classes"]) == (1, 10)
    for row in (row for front in content["fronts"].values() for row in front):
        architecture = found.architecture(row["knobs"])
        assert architecture.key == row["key"]
        counted = cost(found.blueprint(architecture))
        assert (row["params"], row["macs"]) == (counted.params, counted.macs)
        assert row["validation_accuracy"]["obtained"] == "measured"
        assert {value["obtained"] for value in row["latency_ms"].values()} == {"analytic"}
        assert row["latency_ms_measured"] == {}


def test_no_network_of_a_front_is_dominated_by_any_that_was_evaluated(study: TinyStudy) -> None:
    rows = list(csv.DictReader(io.StringIO((study.folder / "front.csv").read_text())))
    assert len(rows) == 16
    for target, front in front_of(study)["fronts"].items():
        points = np.array([[-float(r["validation_accuracy_percent"]), float(r[f"latency_ms {target}"])] for r in rows])
        dominated = [bool((np.all(points <= p, axis=1) & np.any(points < p, axis=1)).any()) for p in points]
        on_front = {row["key"] for row, worse in zip(rows, dominated, strict=True) if not worse}
        assert {row["key"] for row in front} == on_front
        assert {row["key"] for row in rows if row[f"on_front {target}"] == "True"} == on_front


def test_the_most_accurate_network_is_chosen_and_called_n1(study: TinyStudy) -> None:
    content = front_of(study)
    by_label = {row["label"]: row for row in content["joint_front"]}
    best = max(row["validation_accuracy"]["value"] for row in content["joint_front"])
    assert by_label["N1"]["validation_accuracy"]["value"] == best
    assert content["chosen"][0] == by_label["N1"]["key"]
    assert len(content["chosen"]) == 2
    assert {folder.name for folder in models_of(study)} == {
        row["label"] for row in content["joint_front"] if row["key"] in content["chosen"]
    }


def test_an_exported_module_scores_what_card_report_and_front_say(study: TinyStudy) -> None:
    config = read_config(study.config)
    data = load_data(config.data, config.seed)
    networks = {network["label"]: network for network in report_of(study)["networks"]}
    for folder in models_of(study):
        module, info = load_model(folder)
        with torch.inference_mode():
            logits = module(info.prepare(data.test.images))
        percent = 100 * float((logits.argmax(1) == data.test.labels).double().mean())
        card = (folder / "README.md").read_text()
        assert value_of(networks[folder.name], "test_accuracy_fine_tuned") == pytest.approx(percent)
        assert f"| fine-tuned | test | {percent:.2f} % | {len(data.test)} |" in card
        blueprint = blueprint_from_dict(json.loads((folder / "architecture.json").read_text())["blueprint"])
        assert f"| parameters | {cost(blueprint).params:,} |" in card
        assert f"| MACs | {cost(blueprint).macs:,} |" in card
        [row] = [row for row in front_of(study)["joint_front"] if row["label"] == folder.name]
        assert row["key"] in card
        for target, latency in row["latency_ms"].items():
            assert f"| {target} | {latency['value']:.4g} ms | analytic |" in card


def test_onnxruntime_finds_the_accuracy_that_the_card_states(study: TinyStudy) -> None:
    config = read_config(study.config)
    data = load_data(config.data, config.seed)
    for folder in models_of(study):
        module, info = load_model(folder)
        images = info.prepare(data.test.images)
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        [logits] = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        with torch.inference_mode():
            difference = float(np.abs(module(images).numpy() - logits).max())
        percent = 100 * float((logits.argmax(1) == data.test.labels.numpy()).mean())
        said = re.search(r"held-out images: ([\d.]+) % correct", (folder / "README.md").read_text())
        assert said is not None
        assert said[1] == f"{percent:.2f}"
        assert difference < 1e-4


def test_the_report_compares_with_random_search_and_shows_the_scaling(study: TinyStudy) -> None:
    content = report_of(study)
    runs = {run["algorithm"]: run for run in content["search"]["runs"]}
    assert list(runs) == ["nsga2", "random"]
    assert all(run["history"][-1]["evaluations"] == 16 for run in runs.values())
    assert {(row["rule"], row["factor_asked"]) for row in content["scaling"]} == {("fast", 2.0), ("efficientnet", 2.0)}
    assert all(row["factor_achieved"] > 1 for row in content["scaling"])
    assert [point["step"] for point in content["training"]] == [4, 7]


def test_what_is_timed_is_labelled_measured_and_what_is_fitted_predicted(measured_study: TinyStudy) -> None:
    content = front_of(measured_study)
    [target] = content["fronts"]
    assert target == "cpu:fp32:b2"
    for row in content["fronts"][target]:
        assert row["latency_ms"][target]["obtained"] == "predicted"
        assert row["latency_ms"][target]["spread"] > 0
        assert set(row["latency_ms_measured"]) == ({target} if row["key"] in content["chosen"] else set())
    [chosen] = [row for row in content["joint_front"] if row["key"] in content["chosen"]]
    assert chosen["latency_ms_measured"][target]["obtained"] == "measured"
    [fit] = [fit for fit in report_of(measured_study)["predictors"] if fit["quantity"] == "latency_ms"]
    assert len(fit["points"]) == 5
    card = (models_of(measured_study)[0] / "README.md").read_text()
    assert re.search(rf"\| {target} \| [\d.e+-]+ ± [\d.e+-]+ ms \| measured \|", card)
    assert re.search(rf"\| {target} \| [\d.e+-]+ ± [\d.e+-]+ ms \| predicted \|", card)


def test_without_fine_tuning_the_card_says_so(measured_study: TinyStudy) -> None:
    card = (models_of(measured_study)[0] / "README.md").read_text()
    assert "Fine-tuning: none" in card
    assert "| inherited | test |" in card
    assert "| fine-tuned |" not in card
