"""front.json as it is read again: the networks of all fronts of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from search_spaces.errors import UsageError

Row = dict[str, Any]


def read_front(path: Path, study: str) -> list[Row]:
    """Return the rows of every network on a front in a study's front.json, each once.

    Raises:
        UsageError: the file is not there or is damaged.
    """
    try:
        return front_rows(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise UsageError(f"study {study!r} has no {path}: run nas search first, or give --out") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path} is damaged: run nas search again, which writes it anew") from None


def front_rows(content: dict[str, Any]) -> list[Row]:
    """Return the rows of the fronts of all targets and of the joint front, each network once.

    Raises:
        KeyError, TypeError, AttributeError: it is not the content of a front.json.
    """
    fronts = [*content["fronts"].values(), content["joint_front"]]
    return list({row["key"]: row for front in fronts for row in front}.values())
