from __future__ import annotations

from pathlib import Path

import pytest

from experiments.law_table import read_points
from scaling.law import LAWS
from search_spaces.errors import UsageError

POWER = LAWS.get("power")
TEXT = "model,family,macs,error\na,one,1,30\nb,two,2,25\nc,one,4,x\nd,one,8,20\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TEXT)
    return path


def test_rows_are_chosen_and_named(table: Path) -> None:
    points, asked = read_points(POWER, table, ["macs"], "error", ["family=two"], "model", ["16", "32"])
    assert (points.names, points.inputs.tolist(), points.errors.tolist()) == (["b"], [[2.0]], [25.0])
    assert asked.tolist() == [[16.0], [32.0]]


def test_rows_without_a_label_are_numbered_as_in_the_file(table: Path) -> None:
    points, asked = read_points(POWER, table, ["macs"], "error", ["model=d"], None, [])
    assert points.names == ["row 4"]
    assert asked.shape == (0, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": "eror"}, "unknown column 'eror': did you mean 'error'"),
        ({"x": ["macs", "error"]}, "give --x 1 times"),
        ({"where": ["family"]}, "write it as COLUMN=VALUE"),
        ({"where": ["family=three"]}, "no row with family=three"),
        ({"where": ["family=one"]}, "row 3: error is 'x': give a number"),
        ({"predict": ["1,2"]}, "--predict got '1,2': give cost as numbers"),
        ({"label": "name"}, "unknown column 'name'"),
    ],
)
def test_what_can_not_be_used_is_refused_in_one_line(table: Path, change: dict[str, object], message: str) -> None:
    settings = {"x": ["macs"], "y": "error", "where": ["model=d"], "label": None, "predict": [], **change}
    with pytest.raises(UsageError, match=message):
        read_points(POWER, table, **settings)  # type: ignore[arg-type]
