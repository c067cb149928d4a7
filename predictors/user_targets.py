"""Devices of a person's own: TOML files in their folder, beside those that come with this software."""

from __future__ import annotations

import json
from pathlib import Path

from predictors.device import Device, list_devices
from predictors.user_folder import user_folder
from search_spaces.errors import ConflictError, StorageError


def user_files() -> list[Path]:
    """Return the device files of the person's folder, by name."""
    return sorted((user_folder() / "targets").glob("*.toml"))


def add_device(device: Device) -> Path:
    """Store ``device`` in the person's folder and return the file; it is known from the next command on.

    Raises:
        ConflictError: a device has that name.
        StorageError: the folder can't be written.
    """
    if device.name in list_devices():
        raise ConflictError(f"target {device.name!r} is known already: give another name, or remove its file first")
    path = user_folder() / "targets" / f"{device.name}.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_toml(device), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"can't write {path} ({error.strerror}): set NAS_HOME to a folder that can be") from None
    return path


def to_toml(device: Device) -> str:
    """Return the file of ``device``; ``predictors.device.read_device`` is its inverse."""
    facts = device.model_dump(mode="json", exclude_none=True)
    # Strings, numbers and lists of strings are written alike in JSON and TOML.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items())
