"""One database: its URL, its connections, its transactions, and its failures as one clear line."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from search_spaces.errors import StorageError, UsageError, missing_extra

BUSY_TIMEOUT_S = 60.0
"""For a lock: seconds even on a machine that is far too busy, where 30 s were seen to be too few."""
ALLOWED = "allowed: a path, sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE"

ADVICE = (
    ("readonly database", "make the file and its folder writable, or give another storage"),
    ("unable to open", "check that its folder exists and can be written"),
    ("not a database", "the file is damaged or another program's: restore a copy, or give another storage"),
    ("malformed", "the file is damaged: restore a copy, or give another storage"),
    ("is locked", "another program holds it: close that one and start again"),
    ("is full", "free some space and start again"),
    ("connection", "check that the server runs, and the host, port, user, password and database of the URL"),
)


def parse_url(text: str) -> URL:
    """Return the URL of ``text``; a bare path means a SQLite file.

    Raises:
        UsageError: not a URL, no file, another kind of database, or its driver is not installed.
    """
    # A message about a URL that can't be read never repeats it: it may hold a password.
    if "://" not in text:
        if not text or re.match(r"[a-z][a-z0-9+]+:", text):
            raise UsageError(f"the storage is not a URL: {ALLOWED}")
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(f"the storage is not a URL: {ALLOWED}") from None
    if url.drivername == "sqlite":
        if url.database in (None, "", ":memory:") or url.query:
            raise UsageError(f"the storage {masked(url)!r} names no plain file: {ALLOWED}")
        return url
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise UsageError(f"the storage is of kind {url.drivername!r}: {ALLOWED}")
    if find_spec("psycopg") is None:
        raise missing_extra("psycopg", "postgres")
    return url.set(drivername="postgresql+psycopg")


def masked(url: URL) -> str:
    """Return ``url`` with the password as ``***``, wherever it stands."""
    return url.update_query_dict(dict.fromkeys(_passwords(url), "***")).render_as_string(hide_password=True)


def _passwords(url: URL) -> dict[str, object]:
    return {key: value for key, value in url.query.items() if "password" in key}


class Database:
    """Connections to one database.

    Attributes:
        label: the URL with its password masked, for messages.
        readonly: whether every transaction only reads.
        is_sqlite: SQLite, or else PostgreSQL.
    """

    def __init__(self, text: str, *, readonly: bool = False) -> None:
        url = parse_url(text)
        self.label = masked(url)
        self.readonly = readonly
        self.is_sqlite = url.drivername == "sqlite"
        self._passwords = [str(value) for value in (url.password, *_passwords(url).values()) if value]
        engine = self._sqlite(url) if self.is_sqlite else _postgresql(url)
        self._reader = engine.execution_options(reads=True, **({} if self.is_sqlite else {"postgresql_readonly": True}))
        self._writer = self._reader if readonly else engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session of one transaction that only reads: on SQLite it waits for no writer."""
        with self._transaction(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session of one transaction that writes: committed at the end, rolled back on an error."""
        with self._transaction(self._writer) as session:
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Yield the connection of one transaction that changes the schema.

        SQLite changes a table by making another and dropping it, and would delete with it all that refers to its rows:
        it must not look at references meanwhile. They are checked at the end.
        """
        with self.failures(), self._writer.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            if self.is_sqlite:
                driver.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
                    if self.is_sqlite:
                        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                        assert broken is None, f"the migration broke a reference: {broken}"
            finally:
                if self.is_sqlite:
                    driver.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Session]:
        with self.failures(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn a failure of the database inside into a StorageError of one line."""
        try:
            yield
        except (DBAPIError, PoolTimeoutError, sqlite3.Error) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
            for password in self._passwords:
                reason = reason.replace(password, "***")
            advice = next((advice for part, advice in ADVICE if part in reason), "check the storage and start again")
            raise StorageError(f"database {self.label}: {reason}: {advice}") from error

    def _sqlite(self, url: URL) -> Engine:
        assert url.database is not None
        path = Path(url.database)
        if self.readonly:
            if not path.is_file():
                raise UsageError(f"there is no database {self.label}: check the path of the storage")
            database = f"file:{quote(str(path.absolute()))}"
            url = url.set(database=database, query={"mode": "ro", "uri": "true"})
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        if not self.readonly:
            _make_folder(path.parent)
            with self.failures():
                _write_ahead(engine)
        return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"folder {folder} can't be made ({error.strerror}): give another storage") from None


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    event.listen(engine, "connect", _postgresql_connect)
    return engine


def _postgresql_connect(connection: Any, _record: object) -> None:
    # A runner that stops half-way through a transaction must not lock its study for ever.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{BUSY_TIMEOUT_S:.0f}s'")
    connection.commit()


def _sqlite_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late and deferred: _sqlite_begin begins them.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _sqlite_begin(connection: Connection) -> None:
    # A deferred writer fails at once when another one wrote since it read; an immediate one waits its turn.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _write_ahead(engine: Engine) -> None:
    """Set the write-ahead log, which lasts in the file. SQLite does not wait for this lock itself: wait here."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        finally:
            connection.close()
