"""One file a family. ``space(name, **settings)`` makes one."""

from __future__ import annotations

from typing import Any

from search_spaces.adapted import adapted
from search_spaces.architecture import Architecture, read_architecture
from search_spaces.quantised import QuantisedSpace, read_quantisation
from search_spaces.registry import Registry
from search_spaces.space import SearchSpace

spaces: Registry[type[SearchSpace]] = Registry("space", "search_spaces.spaces")


def space(name: str, **settings: Any) -> SearchSpace:
    """Return the space called ``name`` with these settings; with ``quantisation`` its networks choose precisions too.

    Raises:
        UsageError: unknown space or setting, or a value that is not allowed.
    """
    kind = spaces.get(name)
    quantisation = settings.pop("quantisation", None)
    read = kind.read_settings(settings)
    found = kind(read) if read.head is None and read.aspect is None else adapted(kind)(read)
    return found if quantisation is None else QuantisedSpace(found, read_quantisation(quantisation))


def load_architecture(text: str) -> tuple[SearchSpace, Architecture]:
    """Return the space and the architecture of an architecture's JSON text."""
    name, settings, values = read_architecture(text)
    found = space(name, **settings)
    return found, found.architecture(values)
