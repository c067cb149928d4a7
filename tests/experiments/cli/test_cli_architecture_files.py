"""count, scale and measure: the verbs that read architecture files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from nas_command import Nas
from tiny_study import TinyStudy

from search_spaces.block import cost
from search_spaces.blueprint import blueprint_from_dict
from search_spaces.spaces import space

SMALL = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10)


@pytest.fixture
def architecture(tmp_path: Path) -> Path:
    path = tmp_path / "architecture.json"
    path.write_text(SMALL.smallest().to_json())
    return path


def test_count_gives_the_exact_cost_of_an_architecture_file(nas: Nas, architecture: Path) -> None:
    found = nas("count", architecture, "--json").data
    counted = cost(SMALL.blueprint(SMALL.smallest()))
    assert (found["params"], found["macs"], found["activations"]) == (counted.params, counted.macs, counted.activations)
    assert found["peak_memory_bytes"] == counted.peak_memory_bytes
    assert (found["counting"], found["obtained"]) == ("core", "analytic")
    assert f"{counted.macs:,}" in nas("count", architecture).out


def test_count_reads_blueprints_exported_files_and_stdin(
    nas: Nas, architecture: Path, study: TinyStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blueprint = tmp_path / "blueprint.json"
    blueprint.write_text(json.dumps(SMALL.blueprint(SMALL.smallest()).to_dict()))
    by_architecture = nas("count", architecture, "--json").data
    assert nas("count", blueprint, "--json").data == by_architecture
    monkeypatch.setattr("sys.stdin", io.StringIO(architecture.read_text()))
    assert nas("count", "-", "--json").data == by_architecture
    front = json.loads((study.folder / "front.json").read_text())
    [row] = [row for row in front["joint_front"] if row["label"] == "N1"]
    exported = nas("count", study.folder / "models/N1/architecture.json", "--json").data
    assert (exported["params"], exported["macs"]) == (row["params"], row["macs"])


def test_count_verifies_with_fvcore_itself(nas: Nas, architecture: Path) -> None:
    found = nas("count", architecture, "--counting", "fvcore", "--verify", "--json").data
    assert found["fvcore"] == {name: found[name] for name in ("params", "macs", "activations")}


def test_count_at_another_resolution(nas: Nas, architecture: Path) -> None:
    at_base = nas("count", architecture, "--json").data
    at_32 = nas("count", architecture, "--resolution", 32, "--json").data
    assert at_32["resolution"] == [32, 32]
    assert at_32["params"] == at_base["params"]
    assert at_32["macs"] > at_base["macs"]


def test_scale_tells_asked_and_achieved_growth_and_writes_the_blueprint(
    nas: Nas, architecture: Path, tmp_path: Path
) -> None:
    written = tmp_path / "deep" / "scaled.json"
    found = nas("scale", architecture, "--rule", "fast", "--factor", 4, "--write", written, "--json").data
    base = cost(SMALL.blueprint(SMALL.smallest()))
    assert (found["rule"], found["factor_asked"]) == ("fast", 4.0)
    assert found["factor_achieved"] == pytest.approx(found["macs"] / base.macs)
    assert found["factor_achieved"] == pytest.approx(4, rel=0.3)
    scaled = blueprint_from_dict(json.loads(written.read_text()))
    assert scaled.to_dict() == found["blueprint"]
    assert nas("count", written, "--json").data["macs"] == found["macs"]


@pytest.mark.parametrize("rule", ["efficientnet", "d", "dwr", "d1_w8_g8_r1"])
def test_scale_takes_every_kind_of_rule(nas: Nas, architecture: Path, rule: str) -> None:
    found = nas("scale", architecture, "--rule", rule, "--factor", 2, "--as-given", "--json").data
    assert found["macs"] > cost(SMALL.blueprint(SMALL.smallest())).macs


def test_measure_times_here_and_says_so(nas: Nas, architecture: Path) -> None:
    arguments = ("measure", architecture, architecture, "--target", "cpu:fp32:b2", "--budget-s", 0.02)
    rows = nas(*arguments, "--json").data
    assert [row["target"] for row in rows] == ["cpu:fp32:b2"] * 2
    for row in rows:
        assert row["obtained"] == "measured"
        assert row["latency_ms"] > 0
        assert row["num_runs"] > 0
    assert "measured" in nas(*arguments).out


ANOTHER_SPACE = SMALL.smallest().to_json().replace("ofa_mobilenet", "ofa_mobilnet")
NOT_ALLOWED = SMALL.smallest().to_json().replace('"stage2.depth":1', '"stage2.depth":9')


@pytest.mark.parametrize("verb", [["count"], ["scale", "--factor", "2"], ["measure"]])
@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"not json", ["is not JSON"]),
        (b"[" * 100_000, ["is not JSON"]),
        (b"\xff\xfe\x00", ["is not text"]),
        (b"3", []),
        (b"{}", []),
        (b'{"stages": 3}', []),
        (b'{"space": "ofa_mobilenet", "settings": 3, "knobs": {}}', []),
        (ANOTHER_SPACE.encode(), ["unknown space 'ofa_mobilnet'", "'ofa_mobilenet'"]),
        (NOT_ALLOWED.encode(), ["stage2.depth", "9", "1, 2"]),
    ],
)
def test_a_file_that_is_no_architecture_is_named(
    nas: Nas, tmp_path: Path, verb: list[str], content: bytes, names: list[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    said = nas(*verb, path, code=2)
    assert said.out == ""
    assert [name for name in ["bad.json", *names] if name not in said.error] == []


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["count", "none.json"], 2, ["can't read none.json"]),
        (["count", "no-such-network"], 2, ["unknown network 'no-such-network'"]),
        (["count", "FILE", "--counting", "flops"], 2, ["'flops'", "core", "fvcore", "pycls"]),
        (["scale", "FILE"], 2, ["--factor"]),
        (["scale", "FILE", "--factor", "0"], 2, ["0"]),
        (["scale", "FILE", "--factor", "nan"], 2, ["nan"]),
        (["scale", "FILE", "--factor", "2", "--rule", "fats"], 2, ["'fats'", "'fast'"]),
        (["scale", "FILE", "--factor", "2", "--write", "FILE/x.json"], 4, ["x.json"]),
        (["measure", "FILE", "--target", "orin:fp16:b1"], 2, ["'orin:fp16:b1'", "not here"]),
        (["measure", "FILE", "--target", "cpu:fp64"], 2, ["fp64", "fp32"]),
        (["measure", "FILE", "--budget-s", "0"], 2, ["--budget-s"]),
    ],
)
def test_bad_arguments_are_named(
    nas: Nas, architecture: Path, arguments: list[str], code: int, names: list[str]
) -> None:
    said = nas(*(each.replace("FILE", str(architecture)) for each in arguments), code=code)
    assert said.out == ""
    assert [name for name in names if name not in said.error] == []
