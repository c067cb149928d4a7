from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from experiments.store.engine import Database, masked, parse_url
from experiments.store.store import Store
from search_spaces.errors import StorageError, UsageError


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("given", ["runs/a.db", "sqlite:///runs/a.db"])
def test_a_bare_path_means_sqlite(given: str) -> None:
    assert parse_url(given).render_as_string() == "sqlite:///runs/a.db"


@pytest.mark.parametrize("given", ["postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_postgresql_means_psycopg(given: str) -> None:
    assert parse_url(given).drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "mysql://root:hunter2@host/db",
        "postgresql:/root:hunter2@host/db",
        "postgresql+psycopg2://root:hunter2@host/db",
        "postgresql://root:hunter2@host:port/db",
        "://root:hunter2@host",
    ],
)
def test_other_urls_are_refused_without_their_password(given: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_url(given)
    assert "allowed: a path, sqlite:///PATH or postgresql+psycopg://" in one_line(error)
    assert "hunter2" not in str(error.value)


def test_passwords_are_masked_wherever_they_stand() -> None:
    shown = masked(parse_url("postgresql://user:hunter2@host/db?sslpassword=hunter3&sslmode=require"))
    assert "hunter" not in shown
    assert "user:***@host/db" in shown
    assert "sslmode=require" in shown


def test_an_unreachable_server_is_one_line_without_the_password() -> None:
    with pytest.raises(StorageError) as error:
        Store.open("postgresql+psycopg://nas:hunter2@127.0.0.1:1/studies")
    message = one_line(error)
    assert message.startswith("database postgresql+psycopg://nas:***@127.0.0.1:1/studies: ")
    assert "check that the server runs" in message
    assert "hunter2" not in message


def test_a_server_that_lacks_the_database_is_one_line(postgres_server: str) -> None:
    with pytest.raises(StorageError, match='database "absent" does not exist'):
        Store.open(f"{postgres_server}/absent")


def test_sqlite_is_set_up_as_decided(tmp_path: Path) -> None:
    database = Database(f"{tmp_path}/a.db")
    with database.write() as session:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [session.execute(text(f"PRAGMA {name}")).scalar_one() for name in pragmas]
    database.close()
    assert found == ["wal", 1, 1, 60000]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    Store.open(f"{tmp_path}/a/b/c.db").close()
    assert (tmp_path / "a/b/c.db").is_file()


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (f"{tmp_path}/file/c.db", f"{tmp_path}/file/b/c.db"):
        with pytest.raises(StorageError, match=r"folder .*file.* can't be made \(.*\): give another storage"):
            Store.open(path)


def test_a_folder_instead_of_a_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as error:
        Store.open(str(tmp_path))
    assert "unable to open database file: check that its folder exists" in one_line(error)


@pytest.mark.parametrize("content", [b"not a database\n" * 400, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_damaged_file_is_one_line_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(StorageError) as error:
        Store.open(str(path))
    assert "damaged" in one_line(error)
    assert path.read_bytes() == content


def test_a_page_that_is_damaged_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(str(path)) as store:
        store.study("a", {}, seed=0)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'studies'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    with pytest.raises(StorageError) as error, Store.open(str(path)) as store:
        store.studies()
    assert "malformed: the file is damaged" in one_line(error)


def test_a_file_without_write_permission_refuses_writes_and_is_read(
    unprivileged: Callable[[], AbstractContextManager[None]],
) -> None:
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "a.db"
        with Store.open(str(path)) as store:
            store.study("a", {}, seed=0)
        folder.chmod(0o555)
        path.chmod(0o444)
        with unprivileged(), pytest.raises(StorageError) as error, Store.open(str(path)) as store:
            store.study("b", {}, seed=0)
        folder.chmod(0o755)
        assert "make the file and its folder writable" in one_line(error) or "can be written" in str(error.value)
        with Store.open(str(path), readonly=True) as store:
            assert [summary.name for summary in store.studies()] == ["a"]


def test_readonly_reads_and_refuses_to_write(url: str) -> None:
    Store.open(url).close()
    with Store.open(url, readonly=True) as store:
        assert store.studies() == []
        with pytest.raises(StorageError) as error:
            store.study("a", {}, seed=0)
        assert "read" in one_line(error)
    with Store.open(url) as store:
        assert store.studies() == []


def test_readonly_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no database sqlite:///.*absent.db"):
        Store.open(f"{tmp_path}/absent.db", readonly=True)
    assert list(tmp_path.iterdir()) == []


def test_readonly_refuses_a_database_without_studies(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    with pytest.raises(StorageError, match="holds no studies"):
        Store.open(f"{tmp_path}/a.db", readonly=True)


def test_a_full_disk_is_one_line_and_leaves_the_database_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(str(path)) as store:
        store.study("a", {}, seed=0)
        store.close()
        event.listen(
            store._database._writer, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1")
        )
        with pytest.raises(StorageError) as error:
            store.study("b", {"text": "x" * 100_000}, seed=0)
    assert "is full: free some space" in one_line(error)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT name FROM studies").fetchall() == [("a",)]
    connection.close()


def test_a_writer_waits_for_another_programs_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(str(path)) as store:
        study = store.study("a", {}, seed=0)
        study.take("r")
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(1.0, lambda: other.execute("COMMIT"))
        release.start()
        study.heartbeat()
        release.join()
        other.close()
        assert study.state == "running"


def test_readers_do_not_wait_for_a_writer(url: str) -> None:
    with Store.open(url) as store:
        study = store.study("a", {}, seed=0)
        study.take("r")
        with store._database.write() as session:
            study._guard(session)
            assert store.load("a").state == "running"


def test_a_failed_transaction_leaves_nothing(url: str) -> None:
    with Store.open(url) as store:
        store.study("a", {}, seed=0)

        def fail() -> None:
            with store._database.write() as session:
                session.execute(text("UPDATE studies SET state = 'done'"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert store.load("a").state == "new"
