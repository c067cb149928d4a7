"""Studies in a list: one row of one table each, so that its length and not what they hold decides the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from experiments.store.engine import Database
from experiments.store.models import StudyRow, TagRow, epoch_seconds
from experiments.store.states import HELD, shown_state
from experiments.store.values import moment


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study in a list.

    Attributes:
        id: grows with every study that is made.
        state: as ``experiments.store.states`` lists them.
        reason: why it failed, stopped or paused, in a line; or "".
        runner: who holds it, or "".
        priority: the highest runs first.
        queued_at: since when it waits or runs for the queue, in UTC; None outside the queue.
        max_evaluations, max_hours: its budget; None is no limit.
        used_hours: that runners held it.
        num_evaluations: finished work of kind ``evaluation``.
        num_repeated: beginnings of any work beyond its first.
        tags: sorted.
        created_at, updated_at: by the database's clock, in UTC.
    """

    id: int
    name: str
    state: str
    reason: str
    runner: str
    seed: int
    priority: int
    queued_at: datetime | None
    max_evaluations: int | None
    max_hours: float | None
    used_hours: float
    num_evaluations: int
    num_repeated: int
    tags: tuple[str, ...]
    note: str
    created_at: datetime
    updated_at: datetime


def read_summaries(
    database: Database,
    lease_s: float,
    *,
    state: str | None,
    tag: str | None,
    after: int,
    limit: int | None,
    name: str | None,
) -> list[StudySummary]:
    """Return what ``Store.studies`` describes."""
    query = select(StudyRow).options(defer(StudyRow.settings)).where(StudyRow.id > after).order_by(StudyRow.id)
    if tag is not None:
        query = query.join(TagRow, TagRow.study_id == StudyRow.id).where(TagRow.tag == tag)
    if name is not None:
        query = query.where(StudyRow.name == name)
    with database.read() as session:
        now = session.scalars(select(epoch_seconds())).one()
        # The state that is shown depends on what lives, which the database does not know.
        shown = ((row, shown_state(row, now, lease_s)) for row in session.scalars(query))
        wanted = [(row, found) for row, found in shown if state in (None, found)][:limit]
        tags = _tags(session, [row.id for row, _ in wanted])
        return [_summary(row, found, tags[row.id]) for row, found in wanted]


def _tags(session: Session, ids: Iterable[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for study_id, tag in session.execute(
        select(TagRow.study_id, TagRow.tag).where(TagRow.study_id.in_(list(ids))).order_by(TagRow.tag)
    ):
        found[study_id].append(tag)
    return found


def _summary(row: StudyRow, state: str, tags: list[str]) -> StudySummary:
    return StudySummary(
        id=row.id,
        name=row.name,
        state=state,
        reason=row.reason,
        runner=row.runner or "" if state in HELD else "",
        seed=row.seed,
        priority=row.priority,
        queued_at=None if row.queued_at is None else moment(row.queued_at),
        max_evaluations=row.max_evaluations,
        max_hours=row.max_hours,
        used_hours=row.used_s / 3600,
        num_evaluations=row.num_evaluations,
        num_repeated=row.num_repeated,
        tags=tuple(tags),
        note=row.note,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
    )
