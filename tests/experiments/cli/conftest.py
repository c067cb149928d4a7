from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import nas
from tiny_study import TinyStudy, measured_study, study

__all__ = ["measured_study", "nas", "study"]


@pytest.fixture
def copy(study: TinyStudy, tmp_path: Path) -> TinyStudy:
    """A copy of the study that a test may change."""
    return study.copied(tmp_path / "copy")
