"""A study that searches precisions, from its settings to a file that onnxruntime runs with the accuracy it states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from experiments.config import make_config
from experiments.export_one import export_one
from experiments.run import run_study
from experiments.store.store import Store
from experiments.talk import Talk
from nas.data.splits import load_data
from nas.export.safetensors import load_model
from search_spaces.errors import UsageError
from search_spaces.precision import policy_of

CONFIG: dict[str, Any] = {
    "name": "quantised",
    "networks": 1,
    "data": {"source": "digits", "max_images": 200, "calibration_images": 32},
    "space": {"name": "resnet", "form": "small_image", "resolutions": [8], "width_multipliers": [0.5]},
    "quantisation": {"precisions": ["int4_weights", "int8"], "fixed": {"stem": "int8", "head": "int8"}},
    "training": {"epochs": 1, "batch_size": 16, "networks_per_step": 1, "checkpoint_every": 5},
    "latency": {"targets": ["h100:bf16:b32"], "measure": False},
    "search": {
        "evaluations": 6,
        "objectives": ["accuracy", "latency_ms@h100:bf16:b32", "size_bytes"],
        "compare": [],
        "settings": {"num_initial": 4, "num_offspring": 2},
    },
    "scaling": {"rules": ["fast"], "factors": [2.0]},
    "finetuning": {"epochs": 0},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's folder, and beside it an export of the same network by ``nas export``."""
    out = tmp_path_factory.mktemp("quantised")
    config = make_config(CONFIG, "this test")
    with Store.open(str(out / "nas.db")) as store:
        outcome = run_study(config, store, out, Talk(quiet=True))
        [chosen] = json.loads((outcome.folder / "front.json").read_text())["chosen"]
        export_one(store, out, "quantised", chosen, out / "again", Talk(quiet=True))
    return outcome.folder


def model_folder(folder: Path) -> Path:
    [found] = (folder / "models").iterdir()
    return found


def test_the_file_has_the_accuracy_that_the_card_states(folder: Path) -> None:
    config = make_config(CONFIG, "this test")
    data = load_data(config.data, config.seed)
    module, info = load_model(model_folder(folder))
    session = onnxruntime.InferenceSession(str(model_folder(folder) / "model.onnx"), providers=["CPUExecutionProvider"])
    images = info.prepare(data.test.images)
    logits = session.run(["logits"], {"image": images.contiguous().numpy()})[0]
    percent = 100 * np.mean(logits.argmax(1) == data.test.labels.numpy())
    card = (model_folder(folder) / "README.md").read_text()
    assert f"{len(data.test)} held-out images: {percent:.2f} % correct, the simulation of it in PyTorch" in card
    with torch.inference_mode():
        assert np.abs(module(images).numpy() - logits).max() > 1e-4


def test_the_policy_is_written_everywhere(folder: Path) -> None:
    content = json.loads((folder / "front.json").read_text())
    [row] = [row for row in content["joint_front"] if row["key"] in content["chosen"]]
    _, info = load_model(model_folder(folder))
    policy = policy_of(info.blueprint)
    assert (policy["stem"], policy["head"]) == ("int8", "int8")
    assert set(policy.values()) <= {"int4_weights", "int8"}
    assert {f"{name}.precision": given for name, given in policy.items() if name not in ("stem", "head")}.items() <= (
        row["knobs"].items()
    )
    assert row["size_bytes"] < 4 * row["params"]
    card = (model_folder(folder) / "README.md").read_text()
    assert f"in closed form: {row['size_bytes']:,} bytes" in card
    assert 'id="quantisation"' in (folder / "report.html").read_text()


def test_nas_export_writes_the_same_file(folder: Path) -> None:
    again = folder.parent / "again" / "model.onnx"
    assert again.read_bytes() == (model_folder(folder) / "model.onnx").read_bytes()


def test_the_weights_are_trained_without_precisions(folder: Path) -> None:
    """A study of the architectures alone can go on from them."""
    files = list((folder / "checkpoints").rglob("*.safetensors"))
    assert files
    assert not any(b"quantisation" in file.read_bytes()[:20_000] for file in files)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quantisation": {"precisions": ["int9"]}}, r"quantisation\.precisions\[0\] got 'int9': Input should be"),
        (
            {"quantisation": {"bits": [8]}},
            r"quantisation\.bits: unknown key 'bits': allowed: fixed, granularity, precisions",
        ),
        ({"quantisation": {"fixed": {"stage9.block1": "int8"}}}, r"unknown block .*'stage9\.block1'"),
        ({"latency": {"targets": ["cpu:fp32:b1"]}, "search": {}}, "give cpu:fp32:b1:onnxruntime, or latency.measure"),
    ],
)
def test_settings_that_can_not_be_used_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_config({**CONFIG, **changed}, "this test")
