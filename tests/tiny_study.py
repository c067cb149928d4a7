"""Two tiny studies, run to their end by the ``nas`` command, that tests of the command and of the README read.

Each is run once a session: under pytest-xdist the first worker that needs it runs it in the folder that all share, and
the others wait. Tests that change anything copy it first (``copied``).
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.cli import main

SMALLEST = """
name = "tiny"
networks = 1
[data]
source = "digits"
max_images = 200
calibration_images = 20
[space]
name = "ofa_mobilenet"
form = "small_image"
resolutions = [8]
width_multipliers = [0.25]
[training]
batch_size = 16
"""
"""How a configuration of a few seconds begins; what follows belongs to its training until a table opens."""

ANALYTIC = """
name = "digits"
networks = 2

[data]
source = "digits"
max_images = 400
calibration_images = 40

[space]
name = "ofa_mobilenet"
form = "small_image"

[training]
epochs = 2
batch_size = 32
checkpoint_every = 4

[latency]
targets = ["h100:bf16:b32", "orin:fp16:b1"]
measure = false

[search]
evaluations = 16
settings = { num_initial = 8, num_offspring = 4 }

[scaling]
factors = [2.0]

[finetuning]
epochs = 1
"""

MEASURED = """
name = "measured"
networks = 1
device = "cpu"

[data]
max_images = 200
calibration_images = 30

[training]
epochs = 1
batch_size = 32

[latency]
targets = ["cpu:fp32:b2"]
measured_networks = 5
budget_s = 0.02

[search]
evaluations = 6
settings = { num_initial = 4, num_offspring = 2 }
compare = []

[scaling]
rules = ["d"]
factors = [2.0]

[finetuning]
epochs = 0
"""


@dataclass(frozen=True)
class TinyStudy:
    """A study that was run to its end.

    Attributes:
        root: holds ``config.toml`` and ``runs`` with the database and the study's folder.
        name: of the study.
    """

    root: Path
    name: str

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def out(self) -> Path:
        return self.root / "runs"

    @property
    def folder(self) -> Path:
        return self.out / self.name

    def copied(self, to: Path) -> TinyStudy:
        """Return a copy that a test may change."""
        shutil.copytree(self.root, to, dirs_exist_ok=True)
        return TinyStudy(to, self.name)


def _shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of the session share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def _once(folder: Path, make: Callable[[], None]) -> None:
    """Call ``make`` in the first process that comes here; the others wait until it is done."""
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make()
            done.touch()


def _study(factory: pytest.TempPathFactory, name: str, config: str) -> TinyStudy:
    found = TinyStudy(_shared_folder(factory) / f"study-{name}", name)

    def make() -> None:
        found.config.write_text(config, encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(["--quiet", "run", str(found.config), "--out", str(found.out)])
        assert ended.value.code == 0

    _once(found.root, make)
    return found


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> TinyStudy:
    """Two analytic targets, two exported networks, one epoch of fine-tuning."""
    return _study(tmp_path_factory, "digits", ANALYTIC)


@pytest.fixture(scope="session")
def measured_study(tmp_path_factory: pytest.TempPathFactory) -> TinyStudy:
    """This machine's CPU as target: networks are timed, a model is fitted, the chosen network is timed."""
    return _study(tmp_path_factory, "measured", MEASURED)
