from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import Nas

ZOO = Path(__file__).parents[4] / "shared" / "reference" / "pycls_zoo.csv"
OPTIONS = ("--x", "flops", "--y", "top1_err", "--label", "model", "--draws", 20)
needs_zoo = pytest.mark.skipif(not ZOO.exists(), reason="needs pycls_zoo.csv in ../shared/reference")


@needs_zoo
def test_regnety_up_to_8_gf_predicts_12_16_and_32_gf_within_a_quarter_of_a_point(nas: Nas) -> None:
    found = nas("law", ZOO, *OPTIONS, "--where", "family=RegNetY", "--hold-out-above", 8e9, "--json").data
    assert [row["point"] for row in found["held_out"]] == ["RegNetY-12GF", "RegNetY-16GF", "RegNetY-32GF"]
    assert all(abs(row["miss"]) < 0.25 for row in found["held_out"])
    assert found["fitted_points"] == 7


@needs_zoo
def test_efficientnets_of_pycls_are_not_called_monotone(nas: Nas) -> None:
    error = nas("law", ZOO, *OPTIONS, "--where", "family=EfficientNet", code=2).error
    assert "not monotone" in error
    assert "(EfficientNet-B4)" in error
    assert "(EfficientNet-B5)" in error


@needs_zoo
def test_too_few_points_are_refused(nas: Nas) -> None:
    error = nas("law", ZOO, *OPTIONS, "--where", "family=ResNet", code=2).error
    assert "2 points are too few" in error


def test_a_table_of_ones_own_is_fitted_and_printed(nas: Nas, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("side,patch,error\n" + "".join(f"224,{p},{10 + (224 / p) ** -0.5}\n" for p in (4, 8, 14, 16, 32)))
    out = nas(
        "law", table, "--form", "patchification", "--x", "side", "--x", "patch", "--y", "error", "--draws", 20
    ).out
    assert "fitted_points: 5" in out
    assert "parameters:" in out


def test_the_forms_are_listed(nas: Nas) -> None:
    out = nas("law", "--forms").out
    assert {"power", "kaplan", "chinchilla", "data_axis", "patchification"} <= set(out.split())
