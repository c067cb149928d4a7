"""study, report, export and storage: what is done with a study that was run."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from nas_command import Nas
from tiny_study import TinyStudy

from experiments.store.store import Store


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("nas.db")
    }


def test_list_gives_state_and_evaluations(nas: Nas, study: TinyStudy) -> None:
    [row] = nas("study", "list", "--out", study.out, "--json").data
    assert (row["name"], row["state"], row["seed"]) == ("digits", "done", 0)
    assert row["num_evaluations"] >= 16
    assert row["num_repeated"] == 0
    assert "digits" in nas("study", "list", "--out", study.out).out


def test_the_storage_can_be_named_by_option_or_environment(
    nas: Nas, study: TinyStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_out = nas("study", "list", "--out", study.out, "--json").data
    assert nas("study", "list", "--storage", study.out / "nas.db", "--json").data == by_out
    monkeypatch.setenv("NAS_STORAGE", f"sqlite:///{study.out / 'nas.db'}")
    assert nas("study", "list", "--json").data == by_out


def test_show_counts_the_work_and_lists_the_files(nas: Nas, study: TinyStudy) -> None:
    shown = nas("study", "show", "digits", "--out", study.out, "--json").data
    assert shown["settings"]["training"]["epochs"] == 2
    assert shown["work"]["training"] == {"done": 2, "begun": 2}
    assert shown["work"]["export"] == {"done": 2, "begun": 2}
    files = {file["name"]: file for file in shown["files"]}
    assert set(files) >= {"front.json", "front.csv", "report.json", "report.html"}
    content = (study.folder / "front.json").read_bytes()
    assert files["front.json"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert "state: done" in nas("study", "show", "digits", "--out", study.out).out


def test_frame_gives_every_measurement_as_csv_or_json(nas: Nas, study: TinyStudy) -> None:
    table = pd.read_csv(io.StringIO(nas("study", "frame", "digits", "--out", study.out).out))
    rows = nas("study", "frame", "digits", "--out", study.out, "--format", "json").data
    accuracies = table[table.quantity == "validation_accuracy"]
    assert len(accuracies) >= 16
    assert set(accuracies.obtained) == {"measured"}
    assert len(rows) == len(table)
    front = json.loads((study.folder / "front.json").read_text())["joint_front"]
    by_key = dict(zip(accuracies.architecture, accuracies.value, strict=True))
    assert all(by_key[row["key"]] == pytest.approx(row["validation_accuracy"]["value"]) for row in front)


def test_delete_asks_first_and_leaves_the_files(nas: Nas, copy: TinyStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(copy.out)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "nothing was changed" in nas("study", "delete", "digits", "--out", copy.out, code=1).err
    assert len(nas("study", "list", "--out", copy.out, "--json").data) == 1
    said = nas("study", "delete", "digits", "--yes", "--out", copy.out)
    assert said.out == ""
    assert str(copy.folder) in said.err
    assert nas("study", "list", "--out", copy.out, "--json").data == []
    assert "(none)" in nas("study", "list", "--out", copy.out).out
    assert digests(copy.out) == before


def test_report_is_written_again_from_what_is_stored(nas: Nas, study: TinyStudy, tmp_path: Path) -> None:
    to = tmp_path / "again.html"
    said = nas("report", "digits", "--out", study.out, "--to", to)
    assert said.out == f"{to}\n"
    assert to.read_bytes() == (study.folder / "report.html").read_bytes()


def test_export_writes_any_network_of_the_front(nas: Nas, copy: TinyStudy, tmp_path: Path) -> None:
    front = json.loads((copy.folder / "front.json").read_text())
    row = front["joint_front"][-1]
    to = tmp_path / "exported"
    found = nas("export", "digits", row["key"], "--to", to, "--out", copy.out, "--json").data
    assert (found["key"], found["network"]) == (row["key"], row["label"])
    assert {path.name for path in to.iterdir()} == {"README.md", "architecture.json", "model.onnx", "model.safetensors"}
    assert all(Path(name).exists() for name in found["files"])
    assert found["onnx"]["max_abs_difference"] < 1e-4
    assert nas("count", to / "architecture.json", "--json").data["macs"] == row["macs"]
    card = (to / "README.md").read_text()
    assert all(f"| {target} | {v['value']:.4g} ms | analytic |" in card for target, v in row["latency_ms"].items())


def test_exporting_a_chosen_network_again_gives_the_same_files(nas: Nas, copy: TinyStudy) -> None:
    before = digests(copy.folder / "models" / "N1")
    text = nas("export", "digits", "N1", "--out", copy.out).out
    assert "network: N1" in text
    after = digests(copy.folder / "models" / "N1")
    assert after == before


def test_storage_upgrade_leaves_a_current_database_as_it_is(nas: Nas, copy: TinyStudy) -> None:
    before = nas("study", "show", "digits", "--out", copy.out, "--json").data
    assert "up to date" in nas("storage", "upgrade", "--out", copy.out).out
    assert nas("study", "show", "digits", "--out", copy.out, "--json").data == before


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["study", "show", "digts"], ["unknown study 'digts'", "'digits'"]),
        (["study", "frame", "digts"], ["unknown study 'digts'", "'digits'"]),
        (["study", "frame", "digits", "--format", "xml"], ["--format got 'xml'", "csv, json"]),
        (["study", "delete", "digts", "--yes"], ["unknown study 'digts'", "'digits'"]),
        (["study", "show", "../digits"], ["unknown study '../digits'"]),
        (["report", "digts"], ["'digts'", "report.json", "nas run"]),
        (["export", "digts", "N1"], ["unknown study 'digts'", "'digits'"]),
        (["export", "digits", "N99"], ["unknown network of study 'digits' 'N99'", "N1"]),
    ],
)
def test_unknown_names_are_told_with_close_ones(
    nas: Nas, study: TinyStudy, arguments: list[str], names: list[str]
) -> None:
    said = nas(*arguments, "--out", study.out, code=2)
    assert said.out == ""
    assert [name for name in names if name not in said.error] == []


@pytest.mark.parametrize("verb", [["study", "list"], ["study", "delete", "x", "--yes"], ["storage", "upgrade"]])
@pytest.mark.parametrize(
    ("storage", "code", "name"),
    [
        ("postgresql+psycopg://me:secret@127.0.0.1:1/studies", 4, "127.0.0.1"),
        ("mysql://me:secret@host/studies", 2, "postgresql"),
        ("file:nowhere", 2, "sqlite:///PATH"),
    ],
)
def test_a_database_that_cant_be_reached_is_named_without_its_password(
    nas: Nas, verb: list[str], storage: str, code: int, name: str
) -> None:
    said = nas(*verb, "--storage", storage, code=code)
    assert name in said.error
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["study", "list"],
        ["study", "show", "x"],
        ["study", "frame", "x"],
        ["study", "delete", "x", "--yes"],
        ["export", "x", "N1"],
        ["storage", "upgrade"],
    ],
)
def test_without_a_database_nothing_is_made(nas: Nas, tmp_path: Path, arguments: list[str]) -> None:
    assert "there is no database" in nas(*arguments, "--out", tmp_path / "none", code=2).error
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cant_be_written_is_named(nas: Nas, copy: TinyStudy, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "file" in nas("report", "digits", "--out", copy.out, "--to", file / "report.html", code=4).error
    assert "file" in nas("export", "digits", "N1", "--out", copy.out, "--to", file / "N1", code=4).error


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fronts": 3}', "\x00"])
def test_damaged_files_of_a_study_are_named(nas: Nas, copy: TinyStudy, content: str) -> None:
    (copy.folder / "front.json").write_text(content)
    (copy.folder / "report.json").write_text(content)
    assert "front.json is damaged" in nas("export", "digits", "N1", "--out", copy.out, code=2).error
    assert "report" in nas("report", "digits", "--out", copy.out, code=2).error


def test_a_held_study_is_neither_deleted_nor_exported(nas: Nas, copy: TinyStudy) -> None:
    with Store.open(str(copy.out / "nas.db")) as store:
        study = store.load("digits")
        study.take("the other one")
        for arguments in (["study", "delete", "digits", "--yes"], ["export", "digits", "N1"]):
            assert "held by runner 'the other one'" in nas(*arguments, "--out", copy.out, code=3).error
        study.release("done")
    assert len(nas("study", "list", "--out", copy.out, "--json").data) == 1


def test_a_network_is_picked_within_budgets(nas: Nas, study: TinyStudy) -> None:
    content = json.loads((study.folder / "front.json").read_text())
    rows = [row for front in content["fronts"].values() for row in front]
    most = max(row["validation_accuracy"]["value"] for row in rows)
    found = nas("study", "pick", "digits", "--out", study.out, "--json").data
    assert found["validation_accuracy_percent"] == most
    latencies = sorted(row["latency_ms"]["h100:bf16:b32"]["value"] for row in rows)
    limit = latencies[len(latencies) // 2]
    picked = nas("study", "pick", "digits", "--out", study.out, "--under", f"latency_ms@h100={limit}", "--json").data
    within = [row for row in rows if row["latency_ms"]["h100:bf16:b32"]["value"] <= limit]
    assert picked["latency_ms"]["h100:bf16:b32"] <= limit + 1e-4
    assert picked["validation_accuracy_percent"] == max(row["validation_accuracy"]["value"] for row in within)
    assert f"latency_ms@h100:bf16:b32 <= {limit:g}" in picked["chosen"]
    assert "the knee" in nas("study", "pick", "digits", "--out", study.out, "--knee", "orin").out
    smallest = nas("study", "pick", "digits", "--out", study.out, "--best", "size_bytes", "--json").data
    assert smallest["size_bytes"] == min(row["size_bytes"] for row in rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--under", "latency_ms@h100"], "write it as OBJECTIVE=NUMBER"),
        (["--under", "latency_ms@h200=2"], "target 'h200' is not one of the study's"),
        (["--under", "latency_ms@h100=1e-9"], "networks keeps latency_ms@h100:bf16:b32 1e-09 ms: the nearest"),
        (["--best", "acuracy"], "did you mean 'accuracy'"),
        (["--knee", "t4"], "allowed: h100:bf16:b32, orin:fp16:b1"),
    ],
)
def test_a_pick_that_can_not_be_is_named(nas: Nas, study: TinyStudy, options: list[str], message: str) -> None:
    assert message in nas("study", "pick", "digits", "--out", study.out, *options, code=2).error


def test_several_targets_have_a_robust_set(study: TinyStudy) -> None:
    content = json.loads((study.folder / "front.json").read_text())
    robust = content["robust_set"]
    assert len(robust["networks"]) == 2
    assert set(robust["hypervolume_lost"]) == {"h100:bf16:b32", "orin:fp16:b1"}
    assert all(0 <= lost < 1 for lost in robust["hypervolume_lost"].values())
    report = json.loads((study.folder / "report.json").read_text())
    assert len(report["robust"]["labels"]) == 2
    names = [item["name"] for item in report["networks"][0]["quantities"]]
    assert {"predicted_validation_accuracy", "searched_validation_accuracy", "validation_accuracy"} <= set(names)
