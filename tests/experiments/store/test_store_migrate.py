from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from experiments.store import migrate
from experiments.store.models import Base
from experiments.store.store import Store
from search_spaces.errors import StorageError

NEXT = '''
"""The next schema, as a later version of the program would bring it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("studies") as table:
        table.add_column(sa.Column("colour", sa.Text()))
'''


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The program with one more migration, until ``undo`` of what is given."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0003_colour.py").write_text(NEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", folder)
        yield patch


def test_the_migrations_make_the_models(store: Store) -> None:
    with store._database.read() as session:
        assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []


def test_an_empty_database_is_made_silently_and_opens_again(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with Store.open(url) as store:
            store.study("a", {}, seed=0)
    assert capfd.readouterr() == ("", "")


def test_a_newer_database_is_refused_with_both_revisions(url: str) -> None:
    with Store.open(url) as store:
        store.study("a", {}, seed=0)
        with store._database.write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    for upgrade in (False, True):
        with pytest.raises(StorageError) as error:
            Store.open(url, upgrade=upgrade)
        assert "has revision 0099, newer than 0002 of this program: run pip install --upgrade nas" in str(error.value)
        assert "secret" not in str(error.value)


def test_an_older_database_is_refused_until_it_is_upgraded(url: str, later: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as now:
        now.setattr(migrate, "MIGRATIONS", Path(migrate.__file__).parent / "migrations")
        with Store.open(url) as store, store.study("a", {"b": 1}, seed=3).held("r") as study:
            study.begin("evaluation", "k")
            study.finish("evaluation", "k", {"accuracy": 0.5})
    for readonly in (False, True):
        with pytest.raises(StorageError, match=r"has revision 0002, older than 0003 .* run nas storage upgrade"):
            Store.open(url, readonly=readonly)
    Store.open(url, upgrade=True).close()
    with Store.open(url) as store:
        study = store.load("a")
        assert (study.settings, study.seed, study.state) == ({"b": 1}, 3, "done")
        assert study.done("evaluation") == {"k": {"accuracy": 0.5}}


def test_a_failed_upgrade_changes_nothing(url: str, later: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as now:
        now.setattr(migrate, "MIGRATIONS", Path(migrate.__file__).parent / "migrations")
        Store.open(url).close()
    migration = migrate.MIGRATIONS / "versions" / "0003_colour.py"
    migration.write_text(f"{NEXT}    raise ZeroDivisionError\n")
    with pytest.raises(ZeroDivisionError):
        Store.open(url, upgrade=True)
    migration.unlink()
    with Store.open(url) as store:
        store.study("a", {}, seed=0)


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(StorageError, match=r"holds tables of another program \(songs\): give another storage"):
        Store.open(str(path))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]
    connection.close()


def test_a_folder_with_a_percent_sign_and_spaces(tmp_path: Path) -> None:
    path = tmp_path / "100 %(here)s #?" / "a.db"
    with Store.open(str(path)) as store:
        store.study("a", {}, seed=0)
    with Store.open(str(path), readonly=True) as store:
        assert store.load("a").seed == 0
