"""Whether a checkpoint was made with what is asked for now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from search_spaces.errors import ConflictError


def check_identity(header: Mapping[str, Any], identity: Mapping[str, Any], folder: Path) -> None:
    """Raise ConflictError where the ``identity`` that a checkpoint's header holds differs; the message names the keys.

    Args:
        header: of the checkpoint.
        identity: what it must have been made with (space, settings, seed), plain JSON data.
        folder: of the checkpoint, for the message.
    """
    changed = list(_differing(header.get("identity", {}), identity))
    if changed:
        raise ConflictError(
            f"the checkpoint in {folder} was made with other {', '.join(changed)}: choose another study name or folder"
        )


def _differing(stored: Mapping[str, Any], given: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of every key whose values differ."""
    for key in sorted(stored.keys() | given.keys()):
        one, other = stored.get(key), given.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differing(one, other, f"{prefix}{key}.")
        elif one != other or (key in stored) != (key in given):
            yield prefix + key
