from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.config import StudyConfig
from experiments.context import Context, choose_device, make_folder
from experiments.store.store import Store
from experiments.talk import Talk
from search_spaces.errors import StorageError, UsageError


class TestChooseDevice:
    @pytest.mark.parametrize(("name", "with_gpu"), [("auto", "cuda"), ("cpu", "cpu"), ("cuda", "cuda")])
    def test_with_a_gpu(self, monkeypatch, name, with_gpu) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        assert choose_device(name).type == with_gpu

    def test_without_a_gpu(self, monkeypatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert choose_device("auto").type == choose_device("cpu").type == "cpu"
        with pytest.raises(UsageError, match="device got 'cuda': torch sees no GPU here: allowed: auto, cpu"):
            choose_device("cuda")


class TestMakeFolder:
    def test_it_is_made_with_its_parents_and_left_empty(self, tmp_path) -> None:
        made = make_folder(tmp_path / "a" / "b")
        assert made.is_dir()
        assert list(made.iterdir()) == []

    def test_what_is_in_it_stays(self, tmp_path) -> None:
        (tmp_path / "file").write_text("x")
        assert [path.name for path in make_folder(tmp_path).iterdir()] == ["file"]

    @pytest.mark.parametrize("place", ["file", "file/deeper"])
    def test_a_folder_that_cannot_be_made(self, tmp_path, place) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StorageError, match=r"can't write to the folder .*file.*: choose another with --out"):
            make_folder(tmp_path / place)

    def test_a_folder_that_cannot_be_written(self, tmp_path, monkeypatch) -> None:
        def refuse(self, *_args, **_kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "touch", refuse)
        with pytest.raises(StorageError, match=r"Permission denied"):
            make_folder(tmp_path)


class TestStage:
    @pytest.fixture
    def context(self, tmp_path):
        config = StudyConfig(name="a")
        with Store.open(str(tmp_path / "nas.db")) as store:
            study = store.study("a", config.model_dump(mode="json"), seed=0)
            with study.held("test"):
                yield Context(config, study, tmp_path, None, None, torch.device("cpu"), Talk(quiet=True))

    def test_its_seconds_are_stored(self, context) -> None:
        with context.stage("training"):
            assert context.study.done("stage") == {}
        assert context.study.done("stage")["training"]["seconds"] >= 0

    def test_the_first_whole_run_counts(self, context) -> None:
        with context.stage("search"):
            pass
        first = context.study.done("stage")
        with context.stage("search"):
            pass
        assert context.study.done("stage") == first

    def test_one_that_fails_is_not_finished(self, context) -> None:
        with pytest.raises(ValueError, match="broken"), context.stage("training"):
            raise ValueError("broken")
        assert context.study.done("stage") == {}
        assert context.study.attempts("stage") == {"training": 1}
