"""Data for tests, and databases: what asks for ``url`` runs on SQLite and on a real PostgreSQL server, started here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fashion_folder import write_fashion_folder
from store_backends import BACKENDS, new_database


@pytest.fixture(scope="session")
def fashion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the format of Fashion-MNIST."""
    return write_fashion_folder(tmp_path_factory.mktemp("data") / "fashion")


def binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server without its database's name."""
    folder = binaries()
    if folder is None:
        pytest.skip("no initdb and pg_ctl: install PostgreSQL's server to test on it")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Its socket's path is limited to 107 bytes, so not under pytest's own long folder.
    home = Path(tempfile.mkdtemp(prefix="nas-pg-"))
    if as_user:
        shutil.chown(home, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: str) -> None:
        done = subprocess.run([*as_user, *command], cwd=home, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    control = (str(folder / "pg_ctl"), "-D", f"{home}/data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home} -c fsync=off -c max_connections=200"
    try:
        call(str(folder / "initdb"), "-D", f"{home}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        call(*control, "-l", f"{home}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://postgres:secret@127.0.0.1:{port}"
        finally:
            call(*control, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    return new_database(request.getfixturevalue("postgres_server"))
