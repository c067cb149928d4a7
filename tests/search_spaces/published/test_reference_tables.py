"""Every row of the reference tables, counted in closed form from the networks of the same names.

``reference/networks.csv``: fvcore on public implementations; ``reference/pycls_zoo.csv``: pycls on its model zoo.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from search_spaces.block import cost
from search_spaces.networks import network

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"

NOT_OURS = ("STU-Net",)
"""Segmentation in three dimensions: no family here."""

# timm reads MaxViT's bias tables by two products with indicator matrices, which fvcore
# counts: for n heads of a 7 x 7 window n*7*13*13*7 + n*7*7*13*7*7 MACs, each from the four digits that numpy prints of
# twice as many, and n*(7*7*13 + 7*7*7*7) outputs. The networks have 168 and 688 heads.
BIAS_LOOK_UP_MACS = {"maxvit_tiny_tf_224": 6_635_040, "maxvit_large_tf_224": 27_172_500}
BIAS_LOOK_UP_OUTPUTS = {"maxvit_tiny_tf_224": 168 * 3038, "maxvit_large_tf_224": 688 * 3038}


def rows(name: str) -> list[dict[str, str]]:
    path = REFERENCE / name
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def named(row: dict[str, str]) -> str:
    return f"{row['network']}@{row['resolution']}"


ROWS = [row for row in rows("networks.csv") if not row["network"].startswith(NOT_OURS)]
ZOO = rows("pycls_zoo.csv")


def size(text: str) -> tuple[int, int]:
    sides = [int(side) for side in text.split("x")]
    return sides[0], sides[-1]


def zoo_name(model: str) -> str:
    """Return our name of a model of pycls: 200MF is 002, 1.6GF is 016."""
    family, _, size_text = model.lower().partition("-")
    if family.startswith("regnet"):
        hundreds = float(size_text[:-2]) * (10 if size_text.endswith("gf") else 0.01)
        return f"{family}_{round(hundreds):03d}"
    if family == "resnext":
        return f"resnext{size_text}_32x4d"
    return f"efficientnet_{size_text}" if family == "efficientnet" else f"resnet{size_text}"


def test_the_tables_are_there() -> None:
    if not REFERENCE.is_dir():
        pytest.skip("shared/reference is not beside the repository: the tables of public counts are not checked")
    assert len(ROWS) == 67
    assert len(ZOO) == 28


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_public_networks_under_fvcores_rule(row: dict[str, str]) -> None:
    name = row["network"]
    counted = cost(network(name, size(row["resolution"])), "fvcore")
    macs = counted.macs + BIAS_LOOK_UP_MACS.get(name, 0)
    activations = counted.activations + BIAS_LOOK_UP_OUTPUTS.get(name, 0)
    assert counted.params == int(row["params"])
    unit = int(row["macs_rounded_to"])
    assert round(macs / unit) == int(row["macs"]) // unit
    if row["activations"]:
        unit = 10_000 if unit > 1 else 1
        assert round(activations / unit) == int(row["activations"]) // unit


@pytest.mark.parametrize("row", ZOO, ids=lambda row: row["model"])
def test_pycls_zoo_under_its_rule(row: dict[str, str]) -> None:
    counted = cost(network(zoo_name(row["model"]), int(row["res"])), "pycls")
    assert (counted.params, counted.macs, counted.activations) == tuple(
        int(row[k]) for k in ("params", "flops", "acts")
    )
