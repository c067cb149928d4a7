"""One file a family. ``space(name, **settings)`` makes one."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from search_spaces.architecture import Architecture, read_architecture
from search_spaces.errors import UsageError, unknown
from search_spaces.registry import Registry
from search_spaces.space import SearchSpace

spaces: Registry[type[SearchSpace]] = Registry("space", "search_spaces.spaces")


def space(name: str, **settings: Any) -> SearchSpace:
    """Return the space called ``name`` with these settings.

    Raises:
        UsageError: unknown space or setting, or a value that is not allowed.
    """
    kind = spaces.get(name)
    for key in settings:
        if key not in kind.Settings.model_fields:
            raise unknown(f"setting of space {name!r}", key, kind.Settings.model_fields)
    try:
        return kind(kind.Settings(**settings))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"space {name!r}, setting {where!r} got {first['input']!r}: {first['msg']}") from None


def load_architecture(text: str) -> tuple[SearchSpace, Architecture]:
    """Return the space and the architecture of an architecture's JSON text."""
    name, settings, values = read_architecture(text)
    found = space(name, **settings)
    return found, found.architecture(values)
