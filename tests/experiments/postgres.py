"""The databases that tests run on: SQLite, and a real PostgreSQL server that is started for them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

BACKENDS = ["sqlite", "postgresql"]


@dataclass(frozen=True)
class Server:
    """A server of this machine; ``url`` lacks the database's name."""

    folder: Path
    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres:secret@127.0.0.1:{self.port}"

    def call(self, program: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_user, str(self.folder / program), *arguments]
        done = subprocess.run(command, cwd=self.home, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.home} -c fsync=off -c max_connections=200"
        self.call("pg_ctl", "-D", f"{self.home}/data", "-l", f"{self.home}/log", "-o", options, "-w", "start")

    def stop(self) -> None:
        self.call("pg_ctl", "-D", f"{self.home}/data", "-m", "immediate", "-w", "stop")


def binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextmanager
def new_server() -> Iterator[Server]:
    """Start a server of its own, and remove it with all its data."""
    folder = binaries()
    if folder is None:
        pytest.skip("no initdb and pg_ctl: install PostgreSQL's server to test on it")
    # Its socket's path is limited to 107 bytes, so not under pytest's own long folder.
    home = Path(tempfile.mkdtemp(prefix="nas-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(folder, home, probe.getsockname()[1])
    try:
        server.call("initdb", "-D", f"{home}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home)


def new_database(server: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
