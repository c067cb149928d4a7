"""targets and doctor: what devices are known, and what is here."""

from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import Nas
from tiny_study import TinyStudy


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
