"""Which files of ended studies can go: what only serves to train on, and what killed runs left half written."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.store.store import Store, StudySummary
from search_spaces.errors import StorageError

FINAL = ("done", "stopped", "cancelled")
TRAINING_FOLDERS = ("checkpoints", "ray")
PARTIAL = ".*.partial"


@dataclass(frozen=True)
class Prunable:
    """A file or folder that can go.

    Attributes:
        study: whose it is.
        path: of it.
        num_bytes: that it takes.
        why: what it is.
    """

    study: str
    path: Path
    num_bytes: int
    why: str


def find_prunable(store: Store, out: Path, older_than_days: float, name: str | None = None) -> list[Prunable]:
    """Return what can go of studies that ended and were not changed for so long; nothing is deleted.

    Reports, fronts, curves and models stay. Without its checkpoints a study's models stay usable, but further networks
    of it can't be exported.

    Args:
        store: knows the studies; a folder of no study of it is left alone.
        out: the folder of all studies.
        older_than_days: since the study's last change.
        name: of one study alone.
    """
    before = time.time() - 86400 * older_than_days
    found = store.studies(name=name)
    ended = [study for study in found if study.state in FINAL and study.updated_at.timestamp() <= before]
    return [item for study in ended for item in _of_study(study, out / study.name)]


def _of_study(study: StudySummary, folder: Path) -> Iterator[Prunable]:
    # A link may lead to files of somebody else.
    if not folder.is_dir() or folder.is_symlink():
        return
    for name in TRAINING_FOLDERS:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            yield Prunable(study.name, path, _num_bytes(path), "state of the training")
    for path in sorted(folder.rglob(PARTIAL)):
        if path.is_file() and not path.is_symlink() and not set(path.parts) & set(TRAINING_FOLDERS):
            yield Prunable(study.name, path, path.stat().st_size, "left half written by a run that was killed")


def _num_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def prune(items: list[Prunable]) -> None:
    """Delete what ``find_prunable`` found.

    Raises:
        StorageError: one can't be deleted; those before it are gone.
    """
    for item in items:
        try:
            shutil.rmtree(item.path) if item.path.is_dir() else item.path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"can't delete {item.path} ({error.strerror}): make its folder writable") from None
