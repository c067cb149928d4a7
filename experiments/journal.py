"""A journal of finished pieces of work: one line of JSON each, so that a run that was killed goes on from them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search_spaces.architecture import canonical_json
from search_spaces.errors import StorageError, UsageError

Row = dict[str, Any]


class Journal:
    """Rows by key in a file of JSON lines, each ``{"key": ..., "result": ...}``, written by one process at a time.

    A line that a kill cut short is no row: it is written over by the next one.

    Args:
        path: of the file; it and its folder are made with the first row.

    Raises:
        UsageError: a line that is not the last one is no such row.
        StorageError: the file can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[str, Row] = {}
        self._num_bytes = 0
        for line in _lines(path):
            # The newline is written last: without it the row is not whole, whatever it looks like.
            if not line.endswith(b"\n"):
                break
            self._read(line)
            self._num_bytes += len(line)

    def get(self, key: Mapping[str, Any]) -> Row | None:
        """Return the result that is stored under ``key``, or None."""
        return self._rows.get(canonical_json(key))

    def add(self, key: Mapping[str, Any], result: Mapping[str, Any]) -> Row:
        """Store ``result`` under ``key`` on the disk and return it.

        Raises:
            StorageError: the file can't be written.
        """
        line = canonical_json({"key": key, "result": result}).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab") as file:
                file.truncate(self._num_bytes)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"can't write {self.path} ({error.strerror}): choose another folder") from None
        self._num_bytes += len(line)
        return self._read(line)

    def _read(self, line: bytes) -> Row:
        try:
            content = json.loads(line)
            key, result = canonical_json(content["key"]), dict(content["result"])
        except (ValueError, KeyError, TypeError):
            shown = line[:60].decode(errors="replace").strip()
            raise UsageError(f"{self.path} is no journal: it holds {shown!r}: move it away or mend it") from None
        self._rows[key] = result
        return result


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"can't read {path} ({error.strerror}): choose another folder") from None
