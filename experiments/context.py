"""What every stage of a study works with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.config import StudyConfig
from experiments.evaluating import Evaluating, here
from experiments.talk import Talk
from search_spaces.errors import StorageError, UsageError
from search_spaces.space import SearchSpace

if TYPE_CHECKING:
    import torch

    from experiments.store.store import Study
    from nas.data.splits import DataSplits


Together = Callable[[StudyConfig, Path], AbstractContextManager[None]]
"""From a study's settings and folder to the time in which other processes train with this one."""


@contextmanager
def alone(_config: StudyConfig, _folder: Path) -> Iterator[None]:
    """Train in this process alone."""
    yield


@dataclass(frozen=True)
class Context:
    """One run of a study.

    Attributes:
        config: its settings.
        study: its rows, taken by this run.
        folder: its files.
        space: the space for the data's channels and classes.
        data: the four splits on the device.
        device: where networks run.
        talk: what a person is told.
        together: entered around training; brings in the other processes, if there are any.
        evaluating: entered around the search; brings in who evaluates.
    """

    config: StudyConfig
    study: Study
    folder: Path
    space: SearchSpace
    data: DataSplits
    device: torch.device
    talk: Talk
    together: Together = alone
    evaluating: Evaluating = here

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; the seconds of its first whole run are stored."""
        if name in self.study.done("stage"):
            yield
            return
        start = time.perf_counter()
        self.study.begin("stage", name)
        yield
        self.study.finish("stage", name, {"seconds": round(time.perf_counter() - start, 2)})


def choose_device(name: str) -> torch.device:
    """Return the device that the configuration names; ``auto`` is a GPU where there is one."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device got 'cuda': torch sees no GPU here: allowed: auto, cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def make_folder(path: Path) -> Path:
    """Return ``path`` as a folder that can be written.

    Raises:
        StorageError: it can't be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(f"can't write to the folder {path} ({error.strerror}): choose another with --out") from None
    return path
