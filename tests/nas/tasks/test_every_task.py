"""What the rest of the software relies on, for every registered task."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from nas.data.settings import DataSettings
from nas.data.splits import DataSplits, load_data
from nas.search.objectives import make_objective
from nas.task_testing import check_task_contract
from nas.tasks import Metric, make_task, metrics, tasks
from nas.training.losses import check_task, make_loss
from search_spaces.errors import UsageError

SOURCES = {
    "classification": "digits",
    "counting": "blobs",
    "embedding": "digits",
    "segmentation": "shapes",
    "super_resolution": "photographs",
}

every_task = pytest.mark.parametrize("name", tasks.names())


@pytest.fixture(scope="module")
def data() -> dict[str, DataSplits]:
    settings = {
        name: DataSettings(source=source, max_images=200, calibration_images=20) for name, source in SOURCES.items()
    }
    return {name: load_data(each, 0, make_task(name)) for name, each in settings.items()}


@every_task
def test_data_is_split_with_its_targets(name: str, data: dict[str, DataSplits]) -> None:
    splits = data[name]
    assert splits.task.name == name
    assert len(splits.training) + len(splits.calibration) + len(splits.validation) + len(splits.test) == 200
    for split in (splits.training, splits.calibration, splits.validation, splits.test):
        assert len(split.truth) == len(split.images) == len(split)
        assert (split.targets is None) == splits.task.needs_labels
    assert splits.num_outputs >= 1
    again = load_data(DataSettings(source=SOURCES[name], max_images=200, calibration_images=20), 0, make_task(name))
    assert torch.equal(again.test.truth, splits.test.truth)


@every_task
def test_head_loss_and_metric_keep_the_contract(name: str, data: dict[str, DataSplits]) -> None:
    check_task_contract(data[name])
    rows = data[name].task.guess(data[name].validation)
    assert 0 < data[name].task.spread(rows) < 20
    assert data[name].task.spread(rows) == data[name].task.spread(rows)


@every_task
def test_its_loss_is_of_the_task_and_its_metric_an_objective(name: str) -> None:
    task = make_task(name)
    check_task(make_loss(task.loss, 0.0), task.loss, name)
    objective = make_objective(task.metric.name)
    assert (objective.direction, objective.unit, objective.best) == (
        task.metric.direction,
        task.metric.unit,
        task.metric.best,
    )
    assert objective.is_metric
    assert not make_objective("macs").is_metric


@every_task
def test_names_are_told_apart(name: str) -> None:
    assert metrics()[tasks.get(name).metric.name] == tasks.get(name).metric
    assert len(metrics()) == len(tasks.names())


def test_a_metric_says_its_unit() -> None:
    metric = Metric("psnr_db", "PSNR", "max", "dB", 58.9)
    assert (metric.text(31.234), metric.column) == ("31.23 dB", "psnr_db")
    assert Metric("miou", "mean IoU", "max", "%", 100).column == "miou_percent"


def test_what_is_unknown_is_named() -> None:
    with pytest.raises(UsageError, match="unknown task 'segmentatoin': did you mean 'segmentation'"):
        make_task("segmentatoin")
    with pytest.raises(UsageError, match="unknown setting of task 'counting' 'sigmas': did you mean 'sigma'"):
        make_task("counting", {"sigmas": 2})
    with pytest.raises(
        UsageError, match="'density' is for task counting, the study's is 'segmentation': choose another"
    ):
        check_task(make_loss("density", 0.0), "'density'", "segmentation")


def test_names_and_metrics_are_known_without_torch() -> None:
    program = "import sys, nas.tasks; nas.tasks.metrics(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
