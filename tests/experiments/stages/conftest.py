from __future__ import annotations

from nas_command import nas

__all__ = ["nas"]
