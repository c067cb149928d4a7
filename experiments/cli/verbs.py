"""The verbs, one file each; loading this enters them all into the command."""

from __future__ import annotations

import importlib

VERBS = (
    "run",
    "count",
    "scale",
    "law",
    "spaces",
    "networks",
    "targets",
    "measure",
    "calibrate",
    "export",
    "report",
    "serve",
    "study",
    "storage",
    "tune",
    "bench",
    "doctor",
)


def load() -> None:
    """Import the file of every verb."""
    for name in VERBS:
        importlib.import_module(f"experiments.cli.{name}")
