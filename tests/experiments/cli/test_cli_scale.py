import json
from pathlib import Path

import pytest
from nas_command import Nas

from search_spaces.block import cost
from search_spaces.networks import network


@pytest.mark.parametrize("rule", ["d1_w8_g8_r1", "dWr", "fast"])
def test_the_golden_network_is_printed(nas: Nas, rule: str) -> None:
    """Source: reference/fast_scaling_golden.json: RegNetY-4GF x 4 is the published RegNetY-16GF."""
    found = nas("scale", "regnety_4gf_240", "--rule", rule, "--factor", 4, "--counting", "pycls", "--json").data
    assert (found["resolution"], found["depths"]) == ([256, 256], [2, 7, 18, 2])
    assert (found["widths"], found["group_widths"]) == ([168, 336, 896, 2128], [56] * 4)
    assert (found["macs"], found["params"], found["activations"]) == (15459535460, 72282900, 30702212)
    base = cost(network("regnety_4gf_240"), "pycls")
    assert found["factor_achieved"] == found["macs"] / base.macs
    assert found["obtained"] == "analytic"
    roles = {name: each["role"] for name, each in found["mup"].items()}
    assert roles["head.pool_head.classifier.weight"] == "readout"


def test_solving_reaches_what_was_asked(nas: Nas) -> None:
    command = ("scale", "efficientnet_b0", "--rule", "fast", "--factor", 4, "--json")
    plain, solved = nas(*command).data, nas(*command, "--solve").data
    assert abs(solved["factor_achieved"] - 4) < abs(plain["factor_achieved"] - 4)
    assert (plain["rule_factor"], solved["factor_asked"]) == (4.0, 4.0)


@pytest.mark.parametrize(("budget", "key"), [("macs=4e9", "macs"), ("params=2e7", "params")])
def test_a_budget_is_not_exceeded(nas: Nas, budget: str, key: str) -> None:
    found = nas("scale", "regnety_008", "--budget", budget, "--json").data
    limit = float(budget.partition("=")[2])
    assert 0.9 * limit < found[key] <= limit
    assert found["used"] == {key: found[key]}
    assert found["budget"] == {key: limit}


def test_a_budget_of_latency_on_a_target(nas: Nas) -> None:
    command = ("scale", "regnety_008", "--budget", "latency_ms=8")
    found = nas(*command, "--target", "h100:fp16:b32", "--json").data
    assert 7 < found["used"]["latency_ms"] <= 8
    assert found["target"] == "h100:fp16:b32"
    assert "give --target" in nas(*command, code=2).error


def test_rules_are_listed(nas: Nas) -> None:
    names = nas("scale", "--rules").out.split()
    assert {"fast", "regnet", "s2", "fast:ARGUMENT"} <= set(names)


def test_scales_of_the_input_are_printed(nas: Nas) -> None:
    found = nas("scale", "vit_base_patch32_224", "--rule", "s2", "--factor", 5, "--json").data
    assert found["scales"] == [1, 2]
    assert found["factor_achieved"] == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--factor", 1.01, "--rule", "d"], ["1.01", "nearest that changes it is 1.063"]),
        (["--factor", -2], ["factor of -2", "0.0001 to 10000"]),
        (["--factor", 2, "--budget", "macs=1e9"], ["--factor", "--budget"]),
        (["--budget", "mac=1e9"], ["'mac'", "'macs'"]),
        (["--factor", 2, "--rule", "sovit"], ["'sovit' does not fit family 'regnet'", "give a transformer"]),
        (["--factor", 2, "--rule", "fast:2"], ["alpha 2", "0 to 1"]),
    ],
)
def test_bad_settings_are_named(nas: Nas, arguments: list[object], names: list[str]) -> None:
    said = nas("scale", "regnety_008", *arguments, code=2)
    assert [name for name in names if name not in said.error] == []


def test_a_blueprint_that_was_written_can_be_scaled_again(nas: Nas, tmp_path: Path) -> None:
    written = tmp_path / "scaled.json"
    first = nas("scale", "regnety_002", "--factor", 2, "--write", written, "--json").data
    assert json.loads(written.read_text()) == first["blueprint"]
    again = nas("scale", written, "--factor", 2, "--json").data
    assert again["macs"] > first["macs"]
