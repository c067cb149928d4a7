"""An architecture: one value per active knob of one space. Its key is its identity everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from search_spaces.errors import UsageError
from search_spaces.knobs import Value


@dataclass(frozen=True)
class Architecture:
    """A frozen, canonical choice of knobs; make one with ``SearchSpace.architecture``.

    Attributes:
        space: the space's name.
        settings: the space's settings as canonical JSON.
        choices: (knob, value) of every active knob, in the space's order.
    """

    space: str
    settings: str
    choices: tuple[tuple[str, Value], ...]

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """The active knobs by name."""
        return dict(self.choices)

    @cached_property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        content = {"space": self.space, "settings": json.loads(self.settings), "knobs": dict(self.choices)}
        return canonical_json(content)


def canonical_json(content: Any) -> str:
    """Return ``content`` as JSON with sorted keys and no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def read_architecture(text: str) -> tuple[str, dict[str, Any], dict[str, Value]]:
    """Return (space, settings, knobs) of an architecture's JSON.

    Raises:
        UsageError: the text is not such JSON.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the architecture is not JSON ({error}): expected keys space, settings, knobs") from None
    if not isinstance(content, dict) or not isinstance(content.get("knobs"), dict) or "space" not in content:
        raise UsageError('the architecture lacks keys: expected {"space": NAME, "settings": {...}, "knobs": {...}}')
    settings = content.get("settings", {})
    if not isinstance(settings, dict):
        raise UsageError(f"the architecture's settings are {settings!r}: expected an object")
    if extra := sorted(set(content) - {"space", "settings", "knobs"}):
        raise UsageError(f"the architecture has unknown key {extra[0]!r}: allowed: space, settings, knobs")
    return str(content["space"]), settings, content["knobs"]
