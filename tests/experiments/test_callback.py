from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from experiments.callback import CALLBACKS, Finished, Run, make_callbacks, telling
from experiments.store.store import Store
from experiments.talk import Talk
from predictors.measurement import Measurement
from search_spaces.errors import UsageError

POINT = {"step": 40, "loss": 1.5, "validation_accuracy": {"smallest": 90.0}, "rollbacks": [], "bad": float("nan")}
TIMED = (Measurement("latency_ms", 2.0, "ms", "measured", target="cpu:fp32:b1"),)


def finished(study: str = "s", kind: str = "training", key: str = "a") -> Finished:
    return Finished(study, kind, 3, key, POINT, TIMED)


def test_numbers_are_named_by_their_path_and_infinite_ones_left_out() -> None:
    assert finished().scalars() == {
        "training/step": 40.0,
        "training/loss": 1.5,
        "training/validation_accuracy/smallest": 90.0,
        "training/latency_ms@cpu:fp32:b1": 2.0,
    }
    assert finished().step == 40
    assert Finished("s", "evaluation", 3, "a", {}, ()).step == 3


def test_every_finished_piece_of_work_is_told_after_it_is_stored(tmp_path: Path) -> None:
    told: list[tuple[Finished, set[str]]] = []
    with Store.open(str(tmp_path / "nas.db")) as store:
        study = store.study("s", {}, seed=0)
        listening = [lambda done: told.append((done, set(study.done(done.kind))))]
        with study.held("test"), telling(study, listening, Talk(quiet=True)):
            for key in ("a", "b"):
                study.begin("training", key)
                study.finish("training", key, POINT, TIMED)
    *works, (end, _) = told
    assert [(done.key, done.number, keys) for done, keys in works] == [("a", 1, {"a"}), ("b", 2, {"a", "b"})]
    assert (end.kind, end.key, end.scalars()) == ("run", "s", {})
    assert told[0][0].measurements == TIMED


def test_a_callback_that_fails_stops_no_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    def broken(_: Finished) -> None:
        told.append("broken")
        raise OSError("no connection")

    with Store.open(str(tmp_path / "nas.db")) as store:
        study = store.study("s", {}, seed=0)
        listening = [broken, lambda done: told.append(done.key)]
        with study.held("test"), telling(study, listening, Talk(quiet=True)):
            for key in ("a", "b"):
                study.begin("stage", key)
                study.finish("stage", key, {"seconds": 1.0})
        assert set(study.done("stage")) == {"a", "b"}
    assert told == ["broken", "a", "b", "s"]
    assert capsys.readouterr().err.count("called no more (OSError: no connection)") == 1


def test_the_end_is_told_however_the_run_ends_and_only_of_that_run(tmp_path: Path) -> None:
    told: list[str] = []
    with Store.open(str(tmp_path / "nas.db")) as store:
        study = store.study("s", {}, seed=0)
        with pytest.raises(KeyboardInterrupt), telling(study, [lambda done: told.append(done.kind)], Talk(quiet=True)):
            raise KeyboardInterrupt
        with study.held("test"):
            study.begin("stage", "a")
            study.finish("stage", "a", {})
    assert told == ["run"]


def test_a_logger_that_can_not_be_made_stops_no_study_and_an_unknown_name_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert make_callbacks(["tensorboard"], Run("s", tmp_path, {}), Talk(quiet=True)) == []
    assert "callback 'tensorboard' is not called for study 's': " in capsys.readouterr().err
    with pytest.raises(UsageError, match="unknown callback 'tensorbord': did you mean 'tensorboard'"):
        make_callbacks(["tensorbord"], Run("s", tmp_path, {}), Talk(quiet=True))


def test_tensorboard_writes_event_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed: pip install 'nas[tensorboard]'")
    log = CALLBACKS.get("tensorboard")(Run("s", tmp_path, {}))
    log(finished())
    log(finished(kind="run"))
    [path] = (tmp_path / "tensorboard").iterdir()
    assert b"training/loss" in path.read_bytes()


class FakeMlflow:
    """What the callback uses of MLflow's client."""

    said: ClassVar[list[tuple[Any, ...]]] = []

    def get_experiment_by_name(self, name: str) -> None:
        self.said.append(("find", name))

    def create_experiment(self, name: str) -> str:
        return "7"

    def create_run(self, experiment: str, run_name: str) -> Any:
        self.said.append(("run", experiment, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    def log_dict(self, run: str, content: Any, name: str) -> None:
        self.said.append(("dict", run, content))

    def log_metric(self, run: str, name: str, value: float, step: int) -> None:
        self.said.append(("metric", run, name, value, step))

    def set_terminated(self, run: str) -> None:
        self.said.append(("end", run))


def test_mlflow_gets_a_run_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, tracking = ModuleType("mlflow"), ModuleType("mlflow.tracking")
    tracking.MlflowClient = FakeMlflow  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", package)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", tracking)
    FakeMlflow.said.clear()
    log = CALLBACKS.get("mlflow")(Run("s", tmp_path, {"seed": 0}))
    log(finished())
    log(finished(kind="run"))
    assert ("run", "7", "s") in FakeMlflow.said
    assert ("dict", "r", {"seed": 0}) in FakeMlflow.said
    assert ("metric", "r", "training/latency_ms/cpu_fp32_b1", 2.0, 40) in FakeMlflow.said
    assert FakeMlflow.said[-1] == ("end", "r")


def test_wandb_gets_a_run_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    run = SimpleNamespace(log=said.append, finish=lambda: said.append("end"))
    package = ModuleType("wandb")
    package.init = lambda **options: said.append(options) or run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", package)
    log = CALLBACKS.get("wandb")(Run("s", tmp_path, {"seed": 0}))
    log(finished())
    log(finished(kind="run"))
    assert said[0]["name"] == "s"
    assert said[1]["training/loss"] == 1.5
    assert said[1]["training/step"] == 40
    assert said[-1] == "end"


@pytest.mark.parametrize("name", ["mlflow", "tensorboard", "wandb"])
def test_a_package_that_is_missing_is_named_with_its_extra(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("mlflow", "mlflow.tracking", "tensorboardX", "wandb"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"pip install 'nas\[{name}\]'"):
        CALLBACKS.get(name)(Run("s", tmp_path, {}))
