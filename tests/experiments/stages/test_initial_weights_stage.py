from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from experiments.config import StudyConfig, make_config
from experiments.stages.initial_weights import KEPT, begin_supernetwork
from experiments.talk import Talk
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space


def config(path: Path) -> StudyConfig:
    return make_config({"name": "mine", "training": {"initial_weights": str(path)}}, "this test")


def shared() -> SharedWeights:
    return SharedWeights(space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10), 5)


def test_a_copy_serves_later_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    family = shared().space
    given = tmp_path / "given.safetensors"
    save_file(dict(build(family.blueprint(family.largest()), seed=3).state_dict()), given)
    first, second = shared(), shared()
    begin_supernetwork(config(given), first, tmp_path / "study", Talk())
    assert "shared tensors begin as" in capsys.readouterr().err
    given.unlink()
    begin_supernetwork(config(given), second, tmp_path / "study", None)
    assert (tmp_path / "study" / KEPT).exists()
    assert all(torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items())
    assert any(not torch.equal(tensor, first.tensors[name]) for name, tensor in shared().tensors.items())


def test_without_the_setting_nothing_is_read(tmp_path: Path) -> None:
    weights, fresh = shared(), shared()
    begin_supernetwork(make_config({"name": "mine"}, "this test"), weights, tmp_path, Talk(quiet=True))
    assert all(torch.equal(tensor, weights.tensors[name]) for name, tensor in fresh.tensors.items())
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file .*nothing.safetensors: give the path of a safetensors file"):
        begin_supernetwork(config(tmp_path / "nothing.safetensors"), shared(), tmp_path, Talk(quiet=True))
    assert not list(tmp_path.iterdir())
