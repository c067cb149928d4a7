"""Whether a checkpoint was made with what is asked for now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nas.data.settings import AugmentSettings, DataSettings
from nas.stored_settings import completed
from nas.training.settings import TrainingSettings
from search_spaces.errors import ConflictError

SETTINGS: dict[str, type[BaseModel]] = {
    "training": TrainingSettings,
    "augmentation": AugmentSettings,
    "data": DataSettings,
}
"""Of an identity, by key."""


def check_identity(header: Mapping[str, Any], identity: Mapping[str, Any], folder: Path) -> None:
    """Raise ConflictError where the ``identity`` that a checkpoint's header holds differs; the message names the keys.

    Settings that the checkpoint's version did not know yet are taken to have had their defaults.

    Args:
        header: of the checkpoint.
        identity: what it must have been made with (space, settings, seed), plain JSON data.
        folder: of the checkpoint, for the message.
    """
    changed = list(_differing(_completed(header.get("identity", {})), _completed(identity)))
    if changed:
        raise ConflictError(
            f"the checkpoint in {folder} was made with other {', '.join(changed)}: choose another study name or folder"
        )


def _completed(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: completed(value, SETTINGS[key]) if key in SETTINGS and isinstance(value, Mapping) else value
        for key, value in identity.items()
    }


def _differing(stored: Mapping[str, Any], given: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of every key whose values differ."""
    for key in sorted(stored.keys() | given.keys()):
        one, other = stored.get(key), given.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differing(one, other, f"{prefix}{key}.")
        elif one != other or (key in stored) != (key in given):
            yield prefix + key
