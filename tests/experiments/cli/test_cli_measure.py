"""measure: networks, blocks and kernels timed here, and what ran elsewhere brought back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nas_command import Nas

NETWORK = "nb201_all_avg_pool_3x3"
QUICK = ("--budget-s", "0.01", "--threads", "1")


def test_a_network_is_timed_kept_in_a_file_and_in_the_database(nas: Nas, tmp_path: Path) -> None:
    database, file = tmp_path / "m.db", tmp_path / "rows.parquet"
    said = nas("measure", NETWORK, *QUICK, "--batch", 2, "-o", file, "--storage", database, "--json")
    (row,) = said.data
    assert (row["name"], row["kind"], row["target"], row["obtained"]) == (NETWORK, "network", "cpu:fp32:b2", "measured")
    assert 0 < row["latency_ms"] <= row["p95_ms"]
    assert row["versions"]["num_threads"] == "1"
    assert file.stat().st_size > 0
    assert [study["name"] for study in nas("study", "list", "--storage", database, "--json").data] == ["measurements"]


def test_blocks_and_kernels(nas: Nas) -> None:
    blocks = nas("measure", NETWORK, *QUICK, "--blocks", "--json").data
    assert {row["kind"] for row in blocks} == {"block"}
    assert sum(row["count"] for row in blocks) > len(blocks)
    kernels = nas("measure", NETWORK, *QUICK, "--kernels", "--json").data
    assert {row["kind"] for row in kernels} == {"kernel"}
    assert any("AvgPool2d" in row["name"] for row in kernels)
    one = nas("measure", NETWORK, *QUICK, "--block", "conv_stem").out
    assert f"{NETWORK}/stem.conv_stem" in one


def test_an_architecture_file_and_its_memory(nas: Nas, tmp_path: Path) -> None:
    from search_spaces.networks import network

    file = tmp_path / "net.json"
    file.write_text(json.dumps(network(NETWORK).to_dict()))
    (row,) = nas("measure", file, "--memory", "--json").data
    assert row["peak_memory_bytes"] == row["weights_bytes"] + row["image_bytes"] + row["working_bytes"]
    assert row["obtained"] == "measured"
    assert "estimate_error_percent" in nas("measure", file, "--memory").out


def test_a_bundle_is_written_and_its_result_read(nas: Nas, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    told = nas("measure", NETWORK, "--target", "raspi4", "--runtime", "onnxruntime", "--bundle", folder, "--json").data
    assert (told["networks"], told["target"]) == (1, "raspi4:fp32:b1:onnxruntime")
    manifest = json.loads((folder / "bundle.json").read_text())
    row = {"name": NETWORK, "latency_ms": 4.5, "spread_ms": 0.5, "p95_ms": 6.0, "num_runs": 20, "stable": True}
    result = folder / "result.json"
    result.write_text(json.dumps({**manifest, "format": "nas-bundle-result", "unit": "ms", "rows": [row]}))
    table = tmp_path / "rows.csv"
    assert "raspi4:fp32:b1:onnxruntime" in nas("measure", "--import", result, "-o", table).out
    assert table.read_text().count("\n") == 2
    result.write_text(json.dumps({**manifest, "format": "nas-bundle-result", "unit": "ms", "rows": [row, row]}))
    assert "1 given twice or more" in nas("measure", "--import", result, "-o", table, code=2).error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["give networks to measure, or --import"]),
        ([NETWORK, "--import", "r.json"], ["not both"]),
        ([NETWORK, "--blocks", "--kernels"], ["--blocks", "--kernels", "not both"]),
        ([NETWORK, "--target", "raspi4"], ["'raspi4:fp32:b1'", "not here", "--bundle"]),
        ([NETWORK, "--runtime", "eagre"], ["unknown runtime 'eagre'", "'eager'"]),
        ([NETWORK, "--runtime", "tensorrt"], ["tensorrt runs on GPUs"]),
        ([NETWORK, "--bundle", "b"], ["onnxruntime or tensorrt"]),
        ([NETWORK, "--block", "mbconv"], ["unknown block kind", "allowed: "]),
        (["resnet19"], ["unknown network 'resnet19'", "'resnet18"]),
        ([NETWORK, "--batch", "0"], ["--batch"]),
    ],
)
def test_what_can_not_be_measured_is_told_in_one_line(nas: Nas, arguments: list[str], words: list[str]) -> None:
    said = nas("measure", *arguments, code=2)
    assert [word for word in words if word not in said.error] == []
