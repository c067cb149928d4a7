from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nas_command import Nas

from experiments.config import read_config


def test_a_commented_configuration_is_written_once(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nas run nas.toml" in nas("init").out
    config = read_config(tmp_path / "nas.toml")
    assert config.name == "first"
    text = (tmp_path / "nas.toml").read_text()
    assert text.count("#") > 10
    assert "nas.toml is there already" in nas("init", code=3).error
    assert (tmp_path / "nas.toml").read_text() == text


@pytest.mark.slow
def test_its_study_runs_to_its_report(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nas("init", "mine.toml")
    nas("run", "mine.toml")
    assert (tmp_path / "runs" / "first" / "report.html").exists()


@pytest.mark.parametrize(("line", "completed"), [("nas st", ["study", "storage"]), ("nas study sh", ["show"])])
def test_the_shell_completes_verbs(line: str, completed: list[str]) -> None:
    words = line.split()
    given = {"_NAS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    program = "from experiments.cli import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **given}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == completed
