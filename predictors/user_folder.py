"""The folder of a person's own files: targets that they added and latency models that they calibrated."""

from __future__ import annotations

import os
from pathlib import Path


def user_folder() -> Path:
    """Return ``$NAS_HOME``, or the folder ``nas`` where the system keeps a person's settings; it may not exist yet."""
    if home := os.environ.get("NAS_HOME"):
        return Path(home)
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "nas"
