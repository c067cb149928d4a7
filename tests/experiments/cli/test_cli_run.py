"""run, train and search: from the configuration to the end, again, after a kill, and with what can't be run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from nas_command import Nas
from tiny_study import TinyStudy
from torch import Tensor

from experiments.store.store import Store
from nas.evaluation import Evaluator
from nas.training.checkpoint import load_tensors, save_tensors


def attempts(study: TinyStudy) -> dict[str, dict[str, int]]:
    with Store.open(str(study.out / "nas.db"), readonly=True) as store:
        found = store.load(study.name)
        return {kind: found.attempts(kind) for kind in ("training", "measurement", "evaluation", "export", "stage")}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("nas.db")
    }


def test_a_finished_study_that_is_run_again_does_nothing_twice(nas: Nas, copy: TinyStudy) -> None:
    before, files = attempts(copy), contents(copy.folder)
    said = nas("run", copy.config, "--out", copy.out, "--json")
    assert attempts(copy) == before
    assert {number for kind in before.values() for number in kind.values()} == {1}
    after = contents(copy.folder)
    same = {name for name in files if after[name] == files[name]}
    assert set(files) - same <= {"report.html", "report.json"}  # they say when they were written
    assert said.data["best_on_validation"] == "N1"
    assert said.data["networks_on_joint_front"] == len(json.loads(files["front.json"])["joint_front"])
    assert set(said.data["hypervolume"]) == {"nsga2", "random"}


@pytest.mark.parametrize("verb", ["train", "search"])
def test_train_and_search_of_a_finished_study_do_nothing_twice(nas: Nas, copy: TinyStudy, verb: str) -> None:
    before, files = attempts(copy), contents(copy.folder)
    said = nas(verb, copy.config, "--out", copy.out, "--json")
    assert said.data["study"] == "digits"
    assert ("training" in said.data) == (verb == "train")
    assert attempts(copy) == before
    assert contents(copy.folder) == files


def test_the_text_shows_the_front_and_where_the_report_is(nas: Nas, copy: TinyStudy) -> None:
    said = nas("run", copy.config, "--out", copy.out)
    assert f"report: {copy.folder / 'report.html'}" in said.out
    assert "N1" in said.out
    assert "study digits: space ofa_mobilenet" in said.err


def test_a_dry_run_estimates_and_stores_nothing(nas: Nas, study: TinyStudy, tmp_path: Path) -> None:
    found = nas("run", study.config, "--dry-run", "--name", "other", "--out", tmp_path / "runs", "--json").data
    assert (found["study"], found["evaluations"], found["training_steps"]) == ("other", 32, 7)
    assert found["size"] > 1_000_000
    for key in ("estimated_total_seconds", "estimated_peak_memory_bytes", "estimated_disk_bytes"):
        assert found[key] > 0
    assert not (tmp_path / "runs").exists()
    assert "estimated_total_seconds: " in nas("run", study.config, "--dry-run").out


def test_an_interrupted_search_goes_on_and_ends_as_if_it_had_not_been(
    nas: Nas, study: TinyStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = TinyStudy(tmp_path, "digits")
    arguments = ("search", study.config, "--out", mine.out)
    rows: Callable[..., Tensor] = Evaluator.rows
    calls = []

    def interrupted(evaluator: Evaluator, blueprint: object) -> Tensor:
        calls.append(blueprint)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return rows(evaluator, blueprint)

    monkeypatch.setattr(Evaluator, "rows", interrupted)
    assert "interrupted" in nas(*arguments, code=130).error
    monkeypatch.undo()
    [row] = nas("study", "list", "--out", mine.out, "--json").data
    assert row["state"] == "interrupted"
    nas(*arguments)
    assert (mine.folder / "front.json").read_bytes() == (study.folder / "front.json").read_bytes()
    found = attempts(mine)
    assert sum(number - 1 for kind in ("training", "evaluation") for number in found[kind].values()) == 1


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_checkpoint_cut_short_is_told_and_the_one_before_is_used(nas: Nas, copy: TinyStudy) -> None:
    front = (copy.folder / "front.json").read_bytes()
    before, newest = sorted((copy.folder / "checkpoints").iterdir())
    whole = newest.read_bytes()
    cut_short(newest)
    said = nas("search", copy.config, "--out", copy.out)
    assert f"warning: checkpoint {newest.name} can't be read" in said.err
    assert f"{before.name} is used" in said.err
    assert newest.read_bytes() == whole
    assert (copy.folder / "front.json").read_bytes() == front


def test_with_every_checkpoint_cut_short_training_begins_anew(nas: Nas, copy: TinyStudy) -> None:
    front = (copy.folder / "front.json").read_bytes()
    checkpoints = sorted((copy.folder / "checkpoints").iterdir())
    for path in checkpoints:
        cut_short(path)
    said = nas("search", copy.config, "--out", copy.out)
    assert said.err.count("can't be read") == len(checkpoints)
    assert "training begins anew" in said.err
    assert (copy.folder / "front.json").read_bytes() == front


def test_a_deleted_study_goes_on_from_its_checkpoints(nas: Nas, copy: TinyStudy) -> None:
    nas("study", "delete", "digits", "--yes", "--out", copy.out)
    said = nas("train", copy.config, "--out", copy.out, "--set", "search.evaluations=3", "--json")
    assert said.data["training"]["step"] == 7
    assert attempts(copy)["training"] == {"to step 00000004": 1, "to step 00000007": 1}
    assert "step 7/7" in said.err


def test_other_settings_under_the_same_name_are_a_conflict_that_names_the_key(nas: Nas, copy: TinyStudy) -> None:
    before = contents(copy.folder)
    said = nas("run", copy.config, "--out", copy.out, "--set", "training.epochs=3", "--set", "seed=1", code=3)
    assert [
        name for name in ("'digits'", "training.epochs", "stored 2", "given 3", "seed") if name not in said.error
    ] == []
    assert contents(copy.folder) == before
    assert nas("study", "show", "digits", "--out", copy.out, "--json").data["settings"]["training"]["epochs"] == 2


def test_a_study_from_before_settings_existed_goes_on_with_the_same_file(nas: Nas, copy: TinyStudy) -> None:
    before, front = attempts(copy), (copy.folder / "front.json").read_bytes()
    gone = "'$.search.start', '$.augmentation', '$.training.drop_path', '$.latency.models', '$.counting'"
    with closing(sqlite3.connect(copy.out / "nas.db")) as database, database:
        database.execute(f"UPDATE studies SET settings = json_remove(settings, {gone})")
    for path in (copy.folder / "checkpoints").iterdir():
        tensors, header = load_tensors(path)
        del header["identity"]["training"]["drop_path"]
        save_tensors(path, tensors, header)
    nas("search", copy.config, "--out", copy.out)
    assert attempts(copy) == before
    assert (copy.folder / "front.json").read_bytes() == front
    said = nas("search", copy.config, "--out", copy.out, "--set", "training.drop_path=0.1", code=3)
    assert "other settings (training.drop_path: stored 0.0, given 0.1)" in said.error


def test_a_second_runner_is_refused(nas: Nas, copy: TinyStudy) -> None:
    with Store.open(str(copy.out / "nas.db")) as store:
        study = store.load("digits")
        study.take("the first")
        said = nas("run", copy.config, "--out", copy.out, code=3)
        assert "held by runner 'the first'" in said.error
        [row] = nas("study", "list", "--out", copy.out, "--json").data
        assert (row["state"], row["runner"]) == ("running", "the first")
        study.release("done")
    nas("search", copy.config, "--out", copy.out)


BOUNDS = {
    "search.objectives=[{name='accuracy'}, {name='macs', upper=10}]": ["macs <= 10", "has macs"],
    "search.objectives=[{name='accuracy', lower=99.99}, {name='params'}]": ["accuracy >= 99.99", "accuracy"],
}


@pytest.mark.parametrize("bounds", BOUNDS)
def test_bounds_that_nothing_meets_name_the_nearest(nas: Nas, study: TinyStudy, tmp_path: Path, bounds: str) -> None:
    quick = "search.settings.num_offspring=200"
    said = nas("search", study.config, "--out", tmp_path, "--set", bounds, "--set", quick, code=2)
    assert [name for name in ("none of", "the nearest", *BOUNDS[bounds]) if name not in said.error] == []
    architecture = tmp_path / "nearest.json"
    architecture.write_text(said.error[said.error.index("it is ") + len("it is ") :])
    assert nas("count", architecture, "--json").data["macs"] > 10
    assert not (tmp_path / "digits" / "front.json").exists()


def test_an_output_folder_that_cant_be_written_is_exit_4(nas: Nas, study: TinyStudy, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for out in (file, file / "below"):
        said = nas("run", study.config, "--out", out, code=4)
        assert str(out) in said.error
        assert "--out" in said.error
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "digits").write_text("mine")
    assert "digits" in nas("run", study.config, "--out", tmp_path / "runs", code=4).error
    assert file.read_text() == (tmp_path / "runs" / "digits").read_text() == "mine"


@pytest.mark.parametrize("name", ["front.json", "front.csv", "report.html"])
def test_a_file_that_cant_be_written_is_exit_4(nas: Nas, copy: TinyStudy, name: str) -> None:
    (copy.folder / name).unlink()
    (copy.folder / name).mkdir()
    assert name in nas("run", copy.config, "--out", copy.out, code=4).error
    (copy.folder / name).rmdir()
    nas("run", copy.config, "--out", copy.out)
    assert (copy.folder / name).is_file()


@pytest.mark.parametrize("verb", [["run", "CONFIG"], ["study", "list"], ["study", "show", "digits"]])
def test_a_newer_database_is_refused_and_left_as_it_is(nas: Nas, copy: TinyStudy, verb: list[str]) -> None:
    database = copy.out / "nas.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = database.read_bytes()
    arguments = [each.replace("CONFIG", str(copy.config)) for each in verb]
    said = nas(*arguments, "--out", copy.out, code=4)
    assert "9999, newer than" in said.error
    assert database.read_bytes() == before
