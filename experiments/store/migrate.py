"""The schema's revision: an empty database is created, an older one is upgraded on request, a newer one is refused."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from experiments.store.engine import Database
from search_spaces.errors import StorageError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6E6173  # any number that only this program locks: "nas"


def prepare(database: Database, *, upgrade: bool) -> None:
    """Bring ``database`` to the revision of this program, or refuse.

    Raises:
        StorageError: it is newer, or older and ``upgrade`` is false, or it holds the tables of another program.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with database.read() as session:
        found = _revision(session.connection())
    if found == script.get_current_head():
        return
    if found is None and database.readonly:
        raise StorageError(f"database {database.label} holds no studies: check the storage")
    _check(database, found, script, upgrade)
    with database.migrating() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # Another process may have created it meanwhile: then this does nothing.
        if _revision(connection) is None:
            _check_empty(database, connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check(database: Database, found: str | None, script: ScriptDirectory, upgrade: bool) -> None:
    head = script.get_current_head()
    if found is not None and found not in {revision.revision for revision in script.walk_revisions()}:
        raise StorageError(
            f"database {database.label} has revision {found}, newer than {head} of this program: "
            "run pip install --upgrade nas, or give another storage"
        )
    if found is not None and not upgrade:
        raise StorageError(
            f"database {database.label} has revision {found}, older than {head} of this program: "
            "copy it if you may need the older program again, then run nas storage upgrade"
        )


def _check_empty(database: Database, connection: Connection) -> None:
    tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if tables:
        raise StorageError(
            f"database {database.label} holds tables of another program ({', '.join(tables[:3])}): give another storage"
        )
