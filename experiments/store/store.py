"""The store: studies by name in one database. This is what the rest of the software imports."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from sqlalchemy import delete, select

from experiments.store.engine import Database
from experiments.store.evaluations import Evaluation
from experiments.store.events import Event, add_event, read_events
from experiments.store.labels import Labels, Template
from experiments.store.listing import StudySummary, read_summaries
from experiments.store.migrate import prepare
from experiments.store.models import StudyRow, epoch_seconds
from experiments.store.names import Complete, get_row, make_row
from experiments.store.queue import Budget, Queue
from experiments.store.records import Artifact
from experiments.store.runner import held_by, is_free
from experiments.store.states import Fenced, Halted
from experiments.store.study import Study

__all__ = [
    "Artifact",
    "Budget",
    "Evaluation",
    "Event",
    "Fenced",
    "Halted",
    "Store",
    "Study",
    "StudySummary",
    "Template",
]

LEASE_S = 60.0


class Store:
    """Studies in one database; make one with ``Store.open``.

    Attributes:
        queue: submits studies, hands them to runners, pauses, resumes, stops and cancels them.
        labels: tags, notes and templates.
    """

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s
        self.queue = Queue(database, lease_s)
        self.labels = Labels(database)

    @classmethod
    def open(cls, url: str, *, upgrade: bool = False, readonly: bool = False, lease_s: float = LEASE_S) -> Store:
        """Open a database of studies; an empty or missing one is created.

        Args:
            url: ``sqlite:///PATH``, a bare path (SQLite), or ``postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE``.
            upgrade: bring an older schema to this program's.
            readonly: only read: nothing is created, and writing is refused.
            lease_s: seconds without a heartbeat after which another runner may take a study.

        Raises:
            UsageError: not such a URL.
            StorageError: the database can't be reached, read or written, is newer, or is older without ``upgrade``.
        """
        database = Database(url, readonly=readonly)
        try:
            prepare(database, upgrade=upgrade)
        except BaseException:
            database.close()
            raise
        return cls(database, lease_s)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def study(self, name: str, settings: Mapping[str, Any], *, seed: int, complete: Complete = dict) -> Study:
        """Return the study of this name, made if there is none; settings are compared after ``complete``.

        Raises:
            UsageError: the name, the seed or a setting can't be stored.
            ConflictError: there is one, with other settings or another seed.
        """
        with self._database.write() as session:
            return Study(self._database, make_row(session, name, settings, seed, complete), self._lease_s)

    def load(self, name: str) -> Study:
        """Return the study of this name.

        Raises:
            UsageError: there is none; close names are listed.
        """
        with self._database.read() as session:
            return Study(self._database, get_row(session, name), self._lease_s)

    def studies(
        self,
        *,
        state: str | None = None,
        tag: str | None = None,
        after: int = 0,
        limit: int | None = None,
        name: str | None = None,
    ) -> list[StudySummary]:
        """Return studies, oldest first.

        Args:
            state: only those that are shown in it.
            tag: only those that have it.
            after: only those with a larger ``id``: the last one of the page before.
            limit: so many at most.
            name: only the one of this name, if there is one.
        """
        return read_summaries(self._database, self._lease_s, state=state, tag=tag, after=after, limit=limit, name=name)

    def events(self, study: str | None = None, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return what happened to studies as a whole, oldest first, also to deleted ones.

        Args:
            study: of this name alone. Then none is missed by who asks again with ``after`` of the last one.
            after: only those with a larger id.
            limit: so many at most.
        """
        return read_events(self._database, study, after, limit)

    def delete(self, name: str) -> None:
        """Delete a study and all that is stored of it; its files and its events stay.

        Raises:
            UsageError: there is none of this name.
            ConflictError: a live runner holds it.
        """
        with self._database.write() as session:
            row = get_row(session, name)
            gone = delete(StudyRow).where(is_free(row, self._lease_s)).returning(StudyRow.id)
            if session.scalar(gone, execution_options={"synchronize_session": False}) is None:
                session.refresh(row)
                raise held_by(row, session.scalars(select(epoch_seconds())).one(), self._lease_s)
            add_event(session, name, "delete")
