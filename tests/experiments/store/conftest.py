"""Each test that asks for ``url`` runs on SQLite and on a real PostgreSQL server, started and stopped here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update
from store_backends import BACKENDS, new_database

from experiments.store.models import StudyRow
from experiments.store.store import Store, Study


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


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def expire() -> Callable[[Study], None]:
    """Makes the heartbeat of a study old."""

    def age(study: Study) -> None:
        with study._database.write() as session:
            old = update(StudyRow).where(StudyRow.id == study.id).values(heartbeat_at=StudyRow.heartbeat_at - 1000)
            session.execute(old)

    return age


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """A context in which file permissions hold, which root does not feel."""

    @contextmanager
    def drop() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return drop
