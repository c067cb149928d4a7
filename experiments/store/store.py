"""The store: studies by name in one database. This is what the rest of the software imports."""

from __future__ import annotations

import itertools
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

from sqlalchemy import case, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.migrate import prepare
from experiments.store.models import MAX_NAME, StudyRow, WorkRow, epoch_seconds
from experiments.store.records import Artifact, moment, shown_state
from experiments.store.runner import held_by, is_free
from experiments.store.study import Fenced, Study
from experiments.store.values import differences, encode
from search_spaces.errors import ConflictError, UsageError, unknown

__all__ = ["Artifact", "Fenced", "Store", "Study", "StudySummary"]

LEASE_S = 60.0
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study in a list.

    Attributes:
        state: ``new``, ``running``, ``done``, ``failed`` or ``interrupted`` (also when its runner died).
        created_at, updated_at: by the database's clock, in UTC.
        num_evaluations: finished work of kind ``evaluation``.
        num_repeated: beginnings of any work beyond its first.
        runner: who holds it, or "".
    """

    name: str
    state: str
    seed: int
    created_at: datetime
    updated_at: datetime
    num_evaluations: int
    num_repeated: int
    runner: str


class Store:
    """Studies in one database; make one with ``Store.open``."""

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s

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

    def study(self, name: str, settings: Mapping[str, Any], *, seed: int) -> Study:
        """Return the study of this name, made if there is none.

        Raises:
            UsageError: the name, the seed or a setting can't be stored.
            ConflictError: there is one, with other settings or another seed.
        """
        _check_name(name)
        if not 0 <= seed <= MAX_SEED:
            raise UsageError(f"seed {seed}: allowed: 0 to {MAX_SEED}")
        content = encode(settings, "settings")
        with self._database.write() as session:
            row = _find(session, name) or _insert(session, StudyRow(name=name, settings=content, seed=seed))
            _check_same(row, content, seed)
            return Study(self._database, row, self._lease_s)

    def load(self, name: str) -> Study:
        """Return the study of this name.

        Raises:
            UsageError: there is none; close names are listed.
        """
        with self._database.read() as session:
            return Study(self._database, _get(session, name), self._lease_s)

    def studies(self) -> list[StudySummary]:
        """Return every study, oldest first."""
        evaluations = func.sum(case(((WorkRow.kind == "evaluation") & WorkRow.sequence.is_not(None), 1), else_=0))
        counted = (
            select(WorkRow.study_id, evaluations.label("done"), func.sum(WorkRow.attempts - 1).label("repeated"))
            .group_by(WorkRow.study_id)
            .subquery()
        )
        query = (
            select(StudyRow, epoch_seconds(), func.coalesce(counted.c.done, 0), func.coalesce(counted.c.repeated, 0))
            .outerjoin(counted, counted.c.study_id == StudyRow.id)
            .order_by(StudyRow.id)
        )
        with self._database.read() as session:
            return [self._summary(*row) for row in session.execute(query)]

    def delete(self, name: str) -> None:
        """Delete a study and all that is stored of it; files stay.

        Raises:
            UsageError: there is none of this name.
            ConflictError: a live runner holds it.
        """
        with self._database.write() as session:
            row = _get(session, name)
            gone = delete(StudyRow).where(is_free(row, self._lease_s)).returning(StudyRow.id)
            if session.scalar(gone, execution_options={"synchronize_session": False}) is None:
                session.refresh(row)
                raise held_by(row, session.scalars(select(epoch_seconds())).one(), self._lease_s)

    def _summary(self, row: StudyRow, now: float, num_evaluations: int, num_repeated: int) -> StudySummary:
        state = shown_state(row, now, self._lease_s)
        return StudySummary(
            name=row.name,
            state=state,
            seed=row.seed,
            created_at=moment(row.created_at),
            updated_at=moment(row.updated_at),
            num_evaluations=int(num_evaluations),
            num_repeated=int(num_repeated),
            runner=row.runner or "" if state == "running" else "",
        )


def _find(session: Session, name: str) -> StudyRow | None:
    return session.scalar(select(StudyRow).where(StudyRow.name == name))


def _get(session: Session, name: str) -> StudyRow:
    row = _find(session, name) if _unfit(name) is None else None
    if row is None:
        raise unknown("study", name, session.scalars(select(StudyRow.name)))
    return row


def _insert(session: Session, row: StudyRow) -> StudyRow:
    """Return the row as stored; another process may have been the first with this name."""
    try:
        with session.begin_nested():
            session.add(row)
        return row
    except IntegrityError:
        return _get(session, row.name)


def _check_same(row: StudyRow, settings: Any, seed: int) -> None:
    changed = itertools.chain(differences(row.seed, seed, "seed"), differences(row.settings, settings))
    first = list(itertools.islice(changed, 3))
    if first:
        raise ConflictError(
            f"study {row.name!r} has other settings ({'; '.join(first)}): "
            f"give another name, or run nas study delete {shlex.quote(row.name)} to begin anew"
        )


def _check_name(name: str) -> None:
    reason = _unfit(name)
    if reason:
        raise UsageError(
            f"study name {name[:40]!r} {reason}: allowed: 1 to {MAX_NAME} characters, no control characters, "
            "no space at either end"
        )


def _unfit(name: str) -> str | None:
    """Return why a name can't be stored alike on every database, or None."""
    if not name or len(name) > MAX_NAME:
        return f"has {len(name)} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "has a control character"
    return "has a space at an end" if name != name.strip() else None
