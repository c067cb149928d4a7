"""Opening a file below a folder, and none outside it, whatever the name says and whatever links lie in between."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from search_spaces.errors import UsageError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_below(root: Path, name: str) -> BinaryIO:
    """Open the regular file ``name``, a relative path with ``/``, below ``root`` for reading.

    Every component is opened relative to the one before and no link is followed, so that nothing can be swapped between
    a check and its use.

    Raises:
        UsageError: there is no such regular file below ``root``.
    """
    parts = name.split("/")
    resolved = root.resolve()
    if any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
        raise _absent()
    try:
        if not (resolved / name).resolve().is_relative_to(resolved):
            raise _absent()
        found = _descend(resolved, parts)
    except (OSError, ValueError):
        raise _absent() from None
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise _absent()
    return os.fdopen(found, "rb")


def _descend(root: Path, parts: list[str]) -> int:
    """Return the descriptor of the last of ``parts``."""
    current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for number, part in enumerate(parts, start=1):
        try:
            following = os.open(part, _FILE if number == len(parts) else _FOLDER, dir_fd=current)
        finally:
            os.close(current)
        current = following
    return current


def _absent() -> UsageError:
    # It says nothing of the name: what is outside the folder is nobody's business.
    return UsageError("there is no such file in the study's folder: list its artifacts again")
