"""What can't be run is told in one line before anything is stored: configuration, names, data."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from nas_command import Nas
from PIL import Image
from tiny_study import TinyStudy

WRONG = {
    "space.name=ofa_mobilnet": ["space.name", "'ofa_mobilnet'", "'ofa_mobilenet'", "autoformer"],
    "space.form=tiny": ["space.form", "'tiny'", "'small_image'"],
    "space.fom=1": ["space", "'fom'", "'form'"],
    "space.num_classes=11": ["space.num_classes", "11", "10"],
    "latency.targets=['h101:bf16']": ["latency.targets", "'h101'", "'h100'"],
    "latency.targets=['t4:bf16']": ["latency.targets", "'t4'", "bf16"],
    "latency.targets=['cpu', 'cpu:fp32:b1']": ["latency.targets", "twice"],
    "latency.targets=[]": ["latency.targets"],
    "trainin.epochs=3": ["'trainin'", "'training'"],
    "training.epoch=3": ["training", "'epoch'", "epochs"],
    "training.epochs=many": ["training.epochs", "'many'", "integer"],
    "training.epochs=0": ["training.epochs", "0"],
    "training.epochs.x=3": ["training.epochs.x", "'epochs'"],
    "training.learning_rate=nan": ["training.learning_rate"],
    "training.sampler=sortd": ["training.sampler", "'sortd'", "'sorted'"],
    "training.optimiser=adam": ["training.optimiser", "'adam'", "'adamw'"],
    "search.algorithm=nsga": ["search.algorithm", "'nsga'", "'nsga2'"],
    "search.settings={population=3}": ["search.settings", "'population'", "population_size"],
    "search.compare=['rnd']": ["search.compare", "'rnd'", "'random'"],
    "search.objectives=['accurcy']": ["search.objectives", "'accurcy'", "'accuracy'"],
    "search.objectives=['accuracy', 'latency_ms@h100:fp16']": ["search.objectives", "latency.targets"],
    "search.objectives=['macs']": ["search.objectives", "accuracy"],
    "scaling.rules=['fats']": ["scaling.rules", "'fats'", "'fast'"],
    "scaling.factors=[0]": ["scaling.factors", "0"],
    "data.source=digit": ["data.source", "'digit'", "'digits'"],
    "data.path=x": ["'digits'", "path", "'x'"],
    "data.max_images=5": ["max_images", "5"],
    "data=3": ["data", "3"],
    "seed=-1": ["seed", "-1"],
    "counting=flops": ["counting", "'flops'", "'core'"],
    "device=tpu": ["device", "'tpu'", "'cpu'"],
    "networks": ["--set got 'networks'", "key=value"],
}


@pytest.mark.parametrize("setting", WRONG)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry"])
def test_a_wrong_setting_is_named_with_its_key_and_what_is_allowed(
    nas: Nas, study: TinyStudy, tmp_path: Path, setting: str, dry: list[str]
) -> None:
    said = nas("run", study.config, *dry, "--set", setting, "--out", tmp_path / "runs", code=2)
    assert said.out == ""
    assert [name for name in WRONG[setting] if name not in said.error] == [], said.error
    assert not (tmp_path / "runs" / "digits").exists()
    if (tmp_path / "runs" / "nas.db").exists():
        assert nas("study", "list", "--out", tmp_path / "runs", "--json").data == []


@pytest.mark.parametrize("name", ["../digits", "a/b", "..", ".", "", "a\nb", "-x", "x" * 101])
def test_a_name_that_is_no_plain_name_is_refused(nas: Nas, study: TinyStudy, tmp_path: Path, name: str) -> None:
    said = nas("run", study.config, "--out", tmp_path / "runs" / "deep", "--set", f"name={name}", code=2)
    assert "name" in said.error
    assert {path.name for path in tmp_path.rglob("*")} <= {"runs", "deep", "nas.db"}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (None, ["can't read the configuration"]),
        (b"name = ", ["is not TOML"]),
        (b"\xff", ["is not TOML"]),
        (b"", ["name is missing"]),
        (b'name = "x"\n[training]\nepoch = 3', ["training", "'epoch'", "epochs"]),
        (b'name = "x"\n[[search.objectives]]\nname = "macs"\nuper = 3', ["search.objectives", "'uper'", "upper"]),
    ],
)
def test_a_configuration_that_cant_be_read_is_named(
    nas: Nas, tmp_path: Path, content: bytes | None, names: list[str]
) -> None:
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_bytes(content)
    for verb in ("run", "train", "search"):
        said = nas(verb, path, "--out", tmp_path / "runs", code=2)
        assert [name for name in ["my.toml", *names] if name not in said.error] == [], said.error


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of 2 x 40 random greyscale images."""
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for index in range(40):
            Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(folder / f"{index}.png")
    return tmp_path / "images"


FOLDER = ["--set", "data.source=image_folder", "--set", "data.calibration_images=8", "--set", "training.epochs=1"]


def train_on(nas: Nas, study: TinyStudy, path: Path, *more: str, code: int = 0) -> str:
    """Train on an image folder; the talk of a success, the line of a failure."""
    out = path.parent / "runs"
    said = nas("train", study.config, *FOLDER, "--set", f"data.path={path}", *more, "--out", out, code=code)
    if code:
        assert not (out / "digits").exists()
        assert nas("study", "list", "--out", out, "--json").data == []
    return said.error if code else said.err


def test_an_image_folder_is_trained_on(nas: Nas, study: TinyStudy, images: Path) -> None:
    assert "48 images" in train_on(nas, study, images)


def test_a_missing_or_empty_data_folder_is_named(nas: Nas, study: TinyStudy, images: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "does not exist" in train_on(nas, study, tmp_path / "none", code=2)
    assert "holds no folder" in train_on(nas, study, tmp_path / "empty", code=2)
    assert "is a file" in train_on(nas, study, images / "cats" / "0.png", code=2)


def test_a_class_with_no_image_is_named(nas: Nas, study: TinyStudy, images: Path) -> None:
    (images / "newts").mkdir()
    error = train_on(nas, study, images, code=2)
    assert "1 of 3 classes have no image: newts" in error


def test_an_image_that_does_not_decode_is_named_counted_and_skipped_only_if_asked(
    nas: Nas, study: TinyStudy, images: Path
) -> None:
    (images / "dogs" / "7.png").write_bytes(b"no image")
    error = train_on(nas, study, images, code=2)
    assert "1 of 80 images" in error
    assert "dogs/7.png" in error
    assert "skip_undecodable = true" in error
    talk = train_on(nas, study, images, "--set", "data.skip_undecodable=true")
    assert "warning: dogs/7.png does not decode: left out" in talk


def test_the_corrected_command_runs_after_a_mistake(nas: Nas, study: TinyStudy, images: Path) -> None:
    shutil.copytree(images / "dogs", images / "newts")
    (images / "birds").mkdir()
    train_on(nas, study, images, code=2)
    (images / "birds").rmdir()
    assert "study digits" in train_on(nas, study, images)
