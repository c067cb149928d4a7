"""One generic registry: a name, a file, an entry.

Every extension point (block, space, sampler, loss, search algorithm, predictor, scaling rule, ...) is a ``Registry``.
Adding one means adding one file to the registry's package, or an entry point of the group ``nas.<kind>`` in another
distribution.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from search_spaces.errors import UsageError, unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries of one kind, found in one package the first time that a name is asked for."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, T] = {}
        self._loaded = False
        self._loading = False
        self._lock = threading.RLock()

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters what it decorates under ``name``.

        Raises:
            UsageError: another entry has that name.
        """

        def enter(entry: T) -> T:
            if name in self._entries:
                raise UsageError(f"{self.kind} {name!r} is registered twice: rename one of them")
            self._entries[name] = entry
            return entry

        return enter

    def get(self, name: str) -> T:
        """Return the entry of ``name``; an unknown name is an error that lists close ones."""
        self._load()
        try:
            return self._entries[name]
        except KeyError:
            raise unknown(self.kind, name, self._entries) from None

    def names(self) -> list[str]:
        """Return the sorted names."""
        self._load()
        return sorted(self._entries)

    def _load(self) -> None:
        if self._loaded:
            return
        # Another thread waits until all is there; a file that asks for a name while it is loaded does not.
        with self._lock:
            if self._loaded or self._loading:
                return
            self._loading = True
            try:
                self._import()
                self._loaded = True
            finally:
                self._loading = False

    def _import(self) -> None:
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        for point in entry_points(group=f"nas.{self.kind.replace(' ', '_')}"):
            point.load()
