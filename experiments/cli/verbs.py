"""The verbs, one file each; loading this enters them all into the command."""

from __future__ import annotations

import importlib

VERBS = (
    "init",
    "run",
    "count",
    "scale",
    "law",
    "compare",
    "learn",
    "spaces",
    "networks",
    "targets",
    "measure",
    "calibrate",
    "export",
    "report",
    "serve",
    "study",
    "runner",
    "template",
    "storage",
    "tune",
    "sweep",
    "bench",
    "doctor",
)

PARTS = ("queue", "study_files")
"""Files that add to the verb of another one."""


def load() -> None:
    """Import the file of every verb."""
    for name in (*VERBS, *PARTS):
        importlib.import_module(f"experiments.cli.{name}")
