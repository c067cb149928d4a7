"""Benchmarks, one file each, run by ``nas bench NAME``: what was measured, its target and the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from search_spaces.registry import Registry

benchmarks: Registry[Callable[..., dict[str, Any]]] = Registry("benchmark", "experiments.benchmarks")
