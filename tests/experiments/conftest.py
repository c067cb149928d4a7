from __future__ import annotations

from pathlib import Path

import pytest
from fashion_folder import write_fashion_folder


@pytest.fixture(scope="session")
def fashion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the format of Fashion-MNIST."""
    return write_fashion_folder(tmp_path_factory.mktemp("data") / "fashion")
