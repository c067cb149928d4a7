"""Every space goes the whole road: trained, searched, scaled, fine-tuned and exported, each in its smallest measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config import make_config
from experiments.run import run_study
from experiments.store.store import Store
from experiments.talk import Talk
from nas.export.onnx import write_onnx
from search_spaces.building import build
from search_spaces.spaces import space, spaces

every_space = pytest.mark.parametrize("name", spaces.names())


@pytest.mark.slow
@every_space
def test_a_study_of_the_space_ends_in_a_model(name: str, tmp_path: Path) -> None:
    config = make_config(
        {
            "name": "small",
            "networks": 1,
            "data": {"source": "digits", "max_images": 200, "calibration_images": 32},
            "space": {"name": name, "form": "small_image"},
            "training": {"epochs": 1, "batch_size": 16, "networks_per_step": 1, "checkpoint_every": 5},
            "latency": {"targets": ["h100:bf16:b32"], "measure": False},
            "search": {"evaluations": 6, "compare": [], "settings": {"num_initial": 4, "num_offspring": 2}},
            "scaling": {"rules": ["fast"], "factors": [2.0]},
            "finetuning": {"epochs": 1},
        },
        "this test",
    )
    with Store.open(str(tmp_path / "nas.db")) as store:
        outcome = run_study(config, store, tmp_path, Talk(quiet=True))
    assert outcome.summary["evaluations"] == 6
    assert outcome.summary["networks_on_joint_front"] >= 1
    assert list(outcome.folder.rglob("model.onnx"))


@pytest.mark.slow
@every_space
def test_the_largest_network_is_exported(name: str, tmp_path: Path) -> None:
    """It has blocks that a random one may lack."""
    found = space(name, form="small_image", in_channels=1, num_classes=10)
    blueprint = found.blueprint(found.largest())
    write_onnx(tmp_path / "model.onnx", build(blueprint).eval(), blueprint)
    assert (tmp_path / "model.onnx").stat().st_size > 0
