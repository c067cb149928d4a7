"""The evaluations of a study: page by page with all that is stored, or all at once as numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.models import ArchitectureRow, MeasurementRow, WorkRow
from experiments.store.states import EVALUATION
from experiments.store.values import decode, moment

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One finished evaluation.

    Attributes:
        sequence: its place among all finished work of the study; grows.
        key: of the work.
        architecture: its canonical JSON, or "".
        attempts: how often it was begun.
        finished_at: by the database's clock, in UTC.
        values: by column, ``quantity`` or ``quantity@target``; None where the value is not finite.
        payload: as it was given to ``finish``.
    """

    sequence: int
    key: str
    architecture: str
    attempts: int
    finished_at: datetime
    values: dict[str, float | None]
    payload: dict[str, Any]


def column_name(quantity: str, target: str) -> str:
    """Return what a column of values is called."""
    return f"{quantity}@{target}" if target else quantity


def read_page(database: Database, study_id: int, after: int, limit: int) -> list[Evaluation]:
    """Return the next evaluations after a sequence number, in order of finishing."""
    query = (
        select(WorkRow, ArchitectureRow.content)
        .outerjoin(ArchitectureRow, WorkRow.architecture_id == ArchitectureRow.id)
        .where(WorkRow.study_id == study_id, WorkRow.sequence > after, WorkRow.kind == EVALUATION)
        .order_by(WorkRow.sequence)
        .limit(limit)
    )
    with database.read() as session:
        found = session.execute(query).all()
        values = _values(session, [work.id for work, _ in found])
        return [_evaluation(work, content, values[work.id]) for work, content in found]


def _values(session: Session, ids: Iterable[int]) -> dict[int, dict[str, float | None]]:
    row = MeasurementRow
    query = select(row.work_id, row.quantity, row.target, row.value).where(row.work_id.in_(list(ids))).order_by(row.id)
    found: dict[int, dict[str, float | None]] = defaultdict(dict)
    for work_id, quantity, target, value in session.execute(query):
        found[work_id][column_name(quantity, target)] = value
    return found


def _evaluation(work: WorkRow, content: str | None, values: dict[str, float | None]) -> Evaluation:
    assert work.sequence is not None
    assert work.finished_at is not None
    finished = moment(work.finished_at)
    return Evaluation(work.sequence, work.key, content or "", work.attempts, finished, values, decode(work.payload))


def read_values(database: Database, study_id: int) -> pd.DataFrame:
    """Return every evaluation as one row of numbers, indexed by ``sequence``, columns as the last one has them.

    A value that is not there or not finite is NaN. 10^6 evaluations take seconds.
    """
    import pandas as pd

    with database.read() as session:
        columns = session.execute(_columns(study_id)).all()
        rows = session.execute(_pivot(study_id, columns)).all()
    names = [column_name(quantity, target) for quantity, target in columns]
    frame = pd.DataFrame(rows, columns=["sequence", *names]).set_index("sequence")
    return frame.astype("float64")


def _columns(study_id: int) -> Select[*tuple[Any, ...]]:
    of_study = (WorkRow.study_id == study_id, WorkRow.kind == EVALUATION, WorkRow.sequence.is_not(None))
    last = select(WorkRow.id).where(*of_study).order_by(WorkRow.sequence.desc()).limit(1).scalar_subquery()
    measured = select(MeasurementRow.quantity, MeasurementRow.target).where(MeasurementRow.work_id == last)
    return measured.order_by(MeasurementRow.id)


def _pivot(study_id: int, columns: Iterable[Any]) -> Select[*tuple[Any, ...]]:
    row = MeasurementRow
    values = [
        func.max(case((and_(row.quantity == quantity, row.target == target), row.value)))
        for quantity, target in columns
    ]
    return (
        select(WorkRow.sequence, *values)
        .select_from(WorkRow)
        .outerjoin(row, row.work_id == WorkRow.id)
        .where(WorkRow.study_id == study_id, WorkRow.kind == EVALUATION, WorkRow.sequence.is_not(None))
        .group_by(WorkRow.sequence)
        .order_by(WorkRow.sequence)
    )


def read_keys(database: Database, study_id: int, sequences: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return (architecture's key, its canonical JSON) by sequence number of some evaluations."""
    query = (
        select(WorkRow.sequence, ArchitectureRow.key, ArchitectureRow.content)
        .join(ArchitectureRow, WorkRow.architecture_id == ArchitectureRow.id)
        .where(WorkRow.study_id == study_id)
    )
    wanted = list(sequences)
    found: dict[int, tuple[str, str]] = {}
    with database.read() as session:
        # SQLite takes 32,766 parameters a statement.
        for start in range(0, len(wanted), 10_000):
            part = query.where(WorkRow.sequence.in_(wanted[start : start + 10_000]))
            found |= {
                sequence: (key, content) for sequence, key, content in session.execute(part) if sequence is not None
            }
    return found
