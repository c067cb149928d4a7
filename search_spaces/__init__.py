"""Search spaces: knobs, blueprints, blocks, counting and weight sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search_spaces.block import cost as cost
    from search_spaces.building import build as build
    from search_spaces.networks import network as network
    from search_spaces.sharing import SharedWeights as SharedWeights

_HOMES = {"SharedWeights": "sharing", "build": "building", "cost": "block", "network": "networks"}

__all__ = ["SharedWeights", "build", "cost", "network"]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: importing the package loads no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
