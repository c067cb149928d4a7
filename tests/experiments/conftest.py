"""Data for tests, and databases: what asks for ``url`` runs on SQLite and on a real PostgreSQL server, started here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fashion_folder import write_fashion_folder
from postgres import BACKENDS, new_database, new_server


@pytest.fixture(scope="session")
def fashion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the format of Fashion-MNIST."""
    return write_fashion_folder(tmp_path_factory.mktemp("data") / "fashion")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server without its database's name."""
    with new_server() as server:
        yield server.url


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    return new_database(request.getfixturevalue("postgres_server"))
