"""The ``nas`` command called inside the test's process, so that heavy packages load once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from experiments.cli import main


@dataclass(frozen=True)
class Said:
    """What a call of the command printed."""

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
    """Call the command; ``code`` is the exit code that it must end with."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.delenv("NAS_STORAGE", raising=False)

    def call(*arguments: object, code: int = 0) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return Said(said.out, said.err)

    return call
