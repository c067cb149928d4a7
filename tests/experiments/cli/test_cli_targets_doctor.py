"""targets and doctor: what devices are known, and what is here."""

from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import Nas
from tiny_study import TinyStudy

from predictors.device import read_device
from predictors.target import target
from predictors.user_targets import to_toml


def test_the_devices_of_the_issue_are_known(nas: Nas) -> None:
    rows = {row["device"]: row["precisions"] for row in nas("targets", "--json").data}
    assert {"h200", "h100", "a100-80g", "l4", "t4", "rtx4090", "orin", "cpu"} <= set(rows)
    assert "bf16" in rows["h100"]
    assert "rtx4090" in nas("targets").out


def test_a_target_is_shown_with_the_source_of_its_facts(nas: Nas) -> None:
    shown = nas("targets", "h100:bf16:b32", "--json").data
    assert shown["target"] == "h100:bf16:b32"
    assert shown["memory_bandwidth_gb_s"] == 3350
    assert "Data Sheet" in shown["source"]
    assert "source: " in nas("targets", "h100:bf16:b32").out


def test_show_is_the_long_form_and_tells_runtime_and_layout(nas: Nas) -> None:
    assert nas("targets", "show", "h100:bf16", "--json").data == nas("targets", "h100:bf16", "--json").data
    shown = nas("targets", "show", "orin:fp16:tensorrt", "--json").data
    assert (shown["target"], shown["runtime"], shown["layout"]) == ("orin:fp16:b1:tensorrt", "tensorrt", "contiguous")


def test_the_list_tells_kinds_and_runtimes(nas: Nas) -> None:
    rows = {row["device"]: row for row in nas("targets", "--json").data}
    assert rows["t4"]["runtimes"] == "eager, compiled, onnxruntime, tensorrt"
    assert (rows["cpu"]["kind"], rows["cpu"]["runtimes"]) == ("cpu", "eager, compiled, onnxruntime")


def test_a_device_is_added_from_a_file_under_a_name(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_HOME", str(tmp_path / "home"))
    file = tmp_path / "box.toml"
    file.write_text(to_toml(target("t4").device))
    added = nas("targets", "add", file, "--name", "box", "--json").data
    assert (added["target"], added["source"]) == ("box", target("t4").device.source)
    assert read_device(Path(added["file"])).name == "box"
    assert "'t4' is known already" in nas("targets", "add", file, code=3).error


def test_this_machine_is_added_as_measured(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_HOME", str(tmp_path))
    added = nas("targets", "add", "--from-present", "--name", "my-box", "--json").data
    assert added["source"].startswith("measured on this machine")
    device = read_device(tmp_path / "targets" / "my-box.toml")
    assert (device.name, device.kind) == ("my-box", "cpu")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "give either a TOML file or --from-present"),
        (["x.toml", "--from-present"], "give either"),
        (["none.toml"], "can't read the target file none.toml"),
        (["--from-present"], "--name got None"),
        (["--from-present", "--name", "My Box"], "--name got 'My Box'"),
    ],
)
def test_what_can_not_be_added_is_told(nas: Nas, arguments: list[str], word: str) -> None:
    assert word in nas("targets", "add", *arguments, code=2).error


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("h101", ["'h101'", "'h100'"]),
        ("t4:bf16", ["'t4'", "bf16", "fp16"]),
        ("h100:b0", ["'b0'", "bBATCH"]),
        ("h100:fp32:fp16", ["twice"]),
    ],
)
def test_an_unknown_target_is_named_with_close_ones(nas: Nas, name: str, names: list[str]) -> None:
    said = nas("targets", name, code=2)
    assert [each for each in names if each not in said.error] == []


def test_doctor_tells_versions_machine_and_database(nas: Nas, study: TinyStudy, tmp_path: Path) -> None:
    found = nas("doctor", "--out", study.out, "--json").data
    assert found["versions"]["torch"].startswith("2.")
    assert found["database"] == "ok, 1 studies"
    assert found["free_disk_bytes"] > 0
    assert found["machine"]["torch_threads"] == "1"
    assert "none yet" in nas("doctor", "--out", tmp_path / "new").out
    assert not (tmp_path / "new").exists()


def test_doctor_finds_a_damaged_database(nas: Nas, tmp_path: Path) -> None:
    (tmp_path / "nas.db").write_bytes(b"this is no database" * 100)
    said = nas("doctor", "--out", tmp_path, "--json", code=4)
    assert said.data["database"].startswith("error: ")
