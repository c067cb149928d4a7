"""Plain values: what is stored as JSON, with NaN and infinity, which JSON lacks, and how two of them differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from search_spaces.errors import UsageError

NONFINITE = "$nonfinite"


def moment(seconds: float) -> datetime:
    """Return a time of the database, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def status(value: float) -> str:
    """Return ``finite``, ``nan``, ``inf`` or ``-inf``."""
    return "finite" if math.isfinite(value) else str(float(value))


def encode(value: Any, path: str) -> Any:
    """Return ``value`` as strict JSON data; a float that is not finite becomes ``{"$nonfinite": "nan"}``.

    Raises:
        UsageError: something inside is no JSON value; ``path`` is where it stands.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {NONFINITE: status(value)}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise UsageError(f"{path} has the key {key!r}: keys are strings")
        return {key: encode(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item, f"{path}[{index}]") for index, item in enumerate(value)]
    kind = type(value).__name__
    raise UsageError(f"{path} is of type {kind}: give a str, int, float, bool, None, list or mapping of these")


def decode(value: Any) -> Any:
    """Return what ``encode`` was given (tuples as lists)."""
    if isinstance(value, dict):
        if value.keys() == {NONFINITE}:
            return float(value[NONFINITE])
        return {key: decode(item) for key, item in value.items()}
    return [decode(item) for item in value] if isinstance(value, list) else value


def differences(stored: Any, given: Any, path: str = "") -> Iterator[str]:
    """Yield ``a.b: stored 1, given 2`` for every key path at which two encoded values differ."""
    if isinstance(stored, dict) and isinstance(given, dict):
        for key in sorted(stored.keys() | given.keys()):
            inner = f"{path}.{key}" if path else key
            if key not in given:
                yield f"{inner}: stored {_short(stored[key])}, given nothing"
            elif key not in stored:
                yield f"{inner}: stored nothing, given {_short(given[key])}"
            else:
                yield from differences(stored[key], given[key], inner)
    elif stored != given:
        yield f"{path}: stored {_short(stored)}, given {_short(given)}"


def _short(value: Any) -> str:
    text = repr(decode(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
