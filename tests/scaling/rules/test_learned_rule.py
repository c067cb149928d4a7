from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaling.rule import scaling_rule
from scaling.rules.fast import fast_rule
from search_spaces.errors import UsageError
from search_spaces.networks import network


def write(path: Path, **exponents: float) -> str:
    path.write_text(json.dumps({"exponents": exponents, "cost": "latency_ms"}))
    return f"learned:{path}"


def test_the_exponents_split_the_growth_of_macs(tmp_path: Path) -> None:
    rule = scaling_rule(write(tmp_path / "rule.json", depth=0.1, width=0.6, resolution=0.2))
    scaled = rule(network("regnety_008"), 6.0)
    assert scaled.predicted.macs == pytest.approx(6.0)
    depth, width, resolution, group = scaled.factors
    assert width == group
    assert depth**6 == pytest.approx(width)
    assert resolution**3 == pytest.approx(width)


def test_the_exponents_of_the_fast_rule_give_the_fast_rule(tmp_path: Path) -> None:
    base = network("regnety_4gf_240")
    rule = scaling_rule(write(tmp_path / "rule.json", depth=0.1, width=0.4, resolution=0.05))
    assert rule(base, 4.0).blueprint == fast_rule("dWr")(base, 4.0).blueprint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no learned rule"),
        ("[]", "is no learned rule"),
        ("{}", "is no learned rule"),
        ('{"exponents": {"depth": 1, "width": -1, "resolution": 0}}', "is no learned rule"),
        ('{"exponents": {"depth": 0, "width": 0, "resolution": 0}}', "all exponents are 0"),
    ],
)
def test_a_file_that_is_no_rule_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "rule.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        scaling_rule(f"learned:{path}")


@pytest.mark.parametrize(("name", "message"), [("learned:", "names no file"), ("learned:none.json", "can't read")])
def test_a_file_that_is_not_there_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scaling_rule(name)


def test_the_rule_without_its_file_says_what_it_needs() -> None:
    with pytest.raises(UsageError, match="write learned:"):
        scaling_rule("learned")
