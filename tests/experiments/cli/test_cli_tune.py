from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import Nas
from tiny_study import SMALLEST

pytest.importorskip("optuna")

CONFIG = SMALLEST + "epochs = 1\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG)
    return str(path)


def test_tune_says_the_best_values_and_goes_on(nas: Nas, config: str, tmp_path: Path) -> None:
    arguments = ["tune", config, "--tune", "training.learning_rate=0.001..0.1", "--out", tmp_path / "out"]
    found = nas(*arguments, "--trials", "1", "--json").data
    assert found["trials"] == 1
    assert 0.001 <= found["best"]["values"]["training.learning_rate"] <= 0.1
    again = nas(*arguments, "--trials", "1").out
    assert "training.learning_rate" in again
    assert found["options"] in again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tune", "networks=1..3"], "it varies settings of the training"),
        (["--trials", "0"], "--trials"),
    ],
)
def test_bad_input_is_one_line(nas: Nas, config: str, tmp_path: Path, arguments: list[str], message: str) -> None:
    assert message in nas("tune", config, "--out", tmp_path / "out", *arguments, code=2).error
