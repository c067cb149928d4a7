"""front.json as it is read again: the networks of all fronts of a study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from search_spaces.errors import UsageError

Row = dict[str, Any]


def read_front(path: Path, study: str) -> list[Row]:
    """Return the rows of every network on a front in the front.json of a study that trains, each once.

    Raises:
        UsageError: the file is not there, is damaged, or is of a tabular study.
    """
    with reading_front(path, study) as content:
        if is_tabular(content):
            raise UsageError(
                f"study {study!r} is tabular: its networks were looked up and not trained: nas study pick reads them"
            )
        return front_rows(content)


@contextmanager
def reading_front(path: Path, study: str) -> Iterator[dict[str, Any]]:
    """Give the content of a study's front.json to the body; what the body misses in it makes it a damaged file.

    Raises:
        UsageError: the file is not there or is damaged.
    """
    try:
        yield json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UsageError(f"study {study!r} has no {path}: run it first (nas run, nas runner), or give --out") from None
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration):
        raise UsageError(f"{path} is damaged: run the study again, which writes it anew") from None


def is_tabular(content: dict[str, Any]) -> bool:
    """Return whether a front.json is of a study whose networks were looked up in a table."""
    return "front" in content and "fronts" not in content


def front_rows(content: dict[str, Any]) -> list[Row]:
    """Return the rows of the fronts of all targets and of the joint front, each network once.

    Raises:
        KeyError, TypeError, AttributeError: it is not the content of a front.json.
    """
    fronts = [*content["fronts"].values(), content["joint_front"]]
    return list({row["key"]: row for front in fronts for row in front}.values())
