"""What happened to studies as a whole: submitted, taken by a runner, paused, ended, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.models import EventRow
from experiments.store.values import moment


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a study.

    Attributes:
        id: grows with time; within one study in the order of the commits.
        study: its name; the study may be deleted since.
        at: by the database's clock, in UTC.
        event: the verb that was called (``submit``, ``pause``, ``resume``, ``stop``, ``cancel``, ``delete``), or the
            state that a runner brought about (``running``, ``done``, ``failed``, ``paused``, ...).
        detail: the runner's name, the reason, ...
    """

    id: int
    study: str
    at: datetime
    event: str
    detail: str


def add_event(session: Session, study: str, event: str, detail: str = "") -> None:
    """Note an event in the transaction that brings it about.

    The transaction has written the study's row before, and holds its lock: so the ids of one study's events follow the
    commits, and who reads those after an id misses none.
    """
    session.add(EventRow(study=study, event=event, detail=detail))


def read_events(database: Database, study: str | None, after: int, limit: int) -> list[Event]:
    """Return the events after an id, oldest first."""
    query = select(EventRow).where(EventRow.id > after).order_by(EventRow.id).limit(limit)
    if study is not None:
        query = query.where(EventRow.study == study)
    with database.read() as session:
        return [Event(row.id, row.study, moment(row.at), row.event, row.detail) for row in session.scalars(query)]
