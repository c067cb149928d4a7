from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tiny_study import TinyStudy, measured_study, study

from experiments.cli import main

__all__ = ["measured_study", "study"]


@dataclass(frozen=True)
class Said:
    """What a call of the command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line of a failure; talk and warnings may stand before it."""
        lines = [line for line in self.err.splitlines() if line.startswith("nas: ")]
        assert len(lines) == 1, self.err
        assert self.err.splitlines()[-1] == lines[0]
        assert "Traceback" not in self.err
        return lines[0]


Nas = Callable[..., Said]


@pytest.fixture
def nas(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Nas:
    """Call the command in this process; ``code`` is the exit code that it must end with."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.delenv("NAS_STORAGE", raising=False)

    def call(*arguments: object, code: int = 0) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return Said(int(ended.value.code), said.out, said.err)

    return call


@pytest.fixture
def copy(study: TinyStudy, tmp_path: Path) -> TinyStudy:
    """A copy of the study that a test may change."""
    return study.copied(tmp_path / "copy")
