"""A study of every task but classification, from its configuration to a network that onnxruntime runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from nas_command import Nas

from experiments.config import StudyConfig, read_config
from nas.data.splits import DataSplits, load_data

CONFIGS = Path(__file__).parents[3] / "experiments" / "configs"
TINY = {
    "data.max_images": "160",
    "data.calibration_images": "20",
    "training.epochs": "1",
    "training.checkpoint_every": "4",
    "latency.measure": "false",
    "search.evaluations": "4",
    "search.settings.num_initial": "3",
    "search.settings.num_offspring": "1",
    "space.width_multipliers": "[0.25]",
    "networks": "1",
    "finetuning.epochs": "1",
    "scaling.rules": "['d']",
}
NAMES = ("segmentation", "counting", "super_resolution")
PEM = {"task.head.kind": "'pem_head'", "task.head.queries": "[4, 6]", "task.head.decoder_width": "[8, 12]"}

Array = np.ndarray[Any, Any]


def mean_iou(outputs: Array, masks: Array) -> float:
    predicted = outputs.argmax(1)
    shares = [
        ((predicted == c) & (masks == c)).sum() / ((predicted == c) | (masks == c)).sum() for c in np.unique(masks)
    ]
    return 100 * float(np.mean(shares))


def count_error(densities: Array, truth: Array) -> float:
    return float(np.abs(densities.sum((1, 2, 3)) - truth.sum((1, 2))).mean())


def psnr(pixels: Array, truth: Array) -> float:
    square = ((pixels.clip(0, 1) - truth / 255) ** 2).mean((1, 2, 3))
    return float((10 * np.log10(1 / square)).mean())


METRICS: dict[str, tuple[str, Callable[[Array, Array], float]]] = {
    "segmentation": ("miou", mean_iou),
    "counting": ("count_mae", count_error),
    "super_resolution": ("psnr_db", psnr),
}


def run(nas: Nas, name: str, out: Path, *overrides: str) -> tuple[StudyConfig, Path]:
    path = CONFIGS / f"{name}.toml"
    nas("run", path, "--out", out, *(f"--set={override}" for override in overrides))
    config = read_config(path, overrides)
    return config, out / config.name


def outputs_of(folder: Path, data: DataSplits) -> Array:
    """Return what onnxruntime alone gives for the test images, prepared as the card says."""
    info = json.loads((folder / "architecture.json").read_text())
    height, width = info["blueprint"]["resolution"]
    images = data.test.images
    if tuple(images.shape[2:]) != (height, width):
        images = torch.nn.functional.interpolate(images.float(), (height, width), mode="bilinear", antialias=True)
    mean, std = (np.array(info[key]).reshape(1, -1, 1, 1) for key in ("mean", "std"))
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    [given] = session.run(None, {"image": ((images.numpy() / 255 - mean) / std).astype(np.float32)})
    return np.asarray(given)


def check_study(name: str, config: StudyConfig, folder: Path) -> dict[str, Any]:
    """Check front and exported networks, and return the report's data."""
    metric, formula = METRICS[name]
    front: dict[str, Any] = json.loads((folder / "front.json").read_text())
    assert front["objectives"][0] == metric
    assert front["joint_front"]
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert report["metric"]["name"] == metric
    data = load_data(config.data, config.seed, config.task.make())
    for network in report["networks"]:
        values = {item["name"]: item["quantity"]["value"] for item in network["quantities"]}
        exported = folder / "models" / network["label"]
        outputs = outputs_of(exported, data)
        truth = data.test.truth.numpy()
        if name == "segmentation":
            logits = torch.nn.functional.interpolate(torch.from_numpy(outputs), truth.shape[1:], mode="bilinear")
            outputs = logits.numpy()
        assert formula(outputs, truth) == pytest.approx(values[f"onnx_test_{metric}"], rel=1e-3)
        stored = (values.get(f"test_{metric}"), values.get(f"test_{metric}_fine_tuned"))
        assert any(value == pytest.approx(values[f"onnx_test_{metric}"], rel=1e-3) for value in stored if value)
    return report


def unequal(values: Sequence[float]) -> bool:
    return len(set(values)) > 1


@pytest.mark.parametrize(
    ("name", "own"),
    [*((name, {}) for name in NAMES), pytest.param("segmentation", PEM, marks=pytest.mark.slow, id="pem_head")],
)
def test_a_tiny_study_goes_from_images_to_onnx(nas: Nas, name: str, own: dict[str, str], tmp_path: Path) -> None:
    config, folder = run(nas, name, tmp_path, *(f"{key}={value}" for key, value in {**TINY, **own}.items()))
    report = check_study(name, config, folder)
    height, width = report["networks"][0]["blueprint"]["resolution"]
    assert height != width, "its images are not square"
    card = next(folder.glob("models/*/README.md")).read_text()
    assert config.task.make().metric.title in card
    assert (folder / "curves.csv").read_text().splitlines()[0].count(METRICS[name][0]) == 7


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_study_of_the_task_learns_and_has_a_front(nas: Nas, name: str, tmp_path: Path) -> None:
    """The networks are clearly better than an answer that looks at no image, by five of its deviations."""
    config, folder = run(nas, name, tmp_path)
    report = check_study(name, config, folder)
    data = load_data(config.data, config.seed, config.task.make())
    task = data.task
    rows = task.guess(data.validation)
    points = report["fronts"][0]["candidates"]
    best = max(task.metric.rank(point["accuracy"]["value"]) for point in points)
    assert best > task.metric.rank(task.value(rows)) + 5 * task.spread(rows)
    assert sum(point["on_front"] for point in points) >= 3
    assert unequal([point["accuracy"]["value"] for point in points if point["on_front"]])
