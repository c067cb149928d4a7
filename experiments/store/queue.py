"""The queue of studies, and the verbs by which a person moves them. Each verb is one guarded UPDATE.

A study that a live runner holds is not moved: its row gets a wish, and the runner brings the state about once the work
that runs is finished. ``cancel`` alone does not ask: it raises the fence, so that nothing more is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, update
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.events import add_event
from experiments.store.holding import NOBODY, PLAIN, take_row
from experiments.store.labels import put_tags
from experiments.store.models import StudyRow, epoch_seconds
from experiments.store.names import Complete, get_row, make_row
from experiments.store.runner import is_live, no_runner
from experiments.store.states import shown_state
from experiments.store.study import Study
from search_spaces.errors import ConflictError, UsageError

NUM_LOOKED_AT = 20
"""Studies at the head of the queue that a runner tries in one go; others may be faster with each of them."""
MAX_PRIORITY = 1_000_000


@dataclass(frozen=True)
class Budget:
    """What a study may use; None is no limit. When it is spent, the study is stopped as by ``stop``.

    Attributes:
        max_evaluations: finished work of kind ``evaluation``.
        max_hours: that runners held it.
    """

    max_evaluations: int | None = None
    max_hours: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("max_evaluations", self.max_evaluations), ("max_hours", self.max_hours)):
            if value is not None and not 0 < value < 2**53:
                raise UsageError(f"the budget {name} got {value}: give more than 0, or leave it out")


class Queue:
    """Submits studies, hands them to runners, and moves them by name; ``Store.queue`` is one.

    Every method that takes a name raises UsageError if there is no such study.
    """

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s

    def submit(
        self,
        name: str,
        settings: Mapping[str, Any],
        *,
        seed: int,
        complete: Complete = dict,
        priority: int = 0,
        budget: Budget = Budget(),
        tags: Iterable[str] = (),
        note: str = "",
    ) -> Study:
        """Put a study into the queue, made if there is none of this name.

        Args:
            name: as ``Store.study`` takes it.
            settings: of a configuration that ``experiments.job`` runs; nothing in them is checked here.
            seed: as ``Store.study`` takes it.
            complete: as ``Store.study`` takes it.
            priority: the highest runs first; those of one priority in the order of submitting.
            budget: what it may use.
            tags: words to find it by.
            note: free text.

        Raises:
            UsageError: the name, the seed, a setting, a tag, the priority or the budget can't be stored.
            ConflictError: there is one with other settings, or one that is not ``new``.
        """
        _check_priority(priority)
        with self._database.write() as session:
            row = make_row(session, name, settings, seed, complete)
            values = {
                "state": "queued",
                "queued_at": epoch_seconds(),
                "priority": priority,
                "max_evaluations": budget.max_evaluations,
                "max_hours": budget.max_hours,
                "note": note,
                "updated_at": epoch_seconds(),
            }
            if not _moved(session, and_(StudyRow.id == row.id, StudyRow.state == "new"), values):
                state = self._shown(session, row)
                raise ConflictError(f"study {name!r} is {state}: give another name, or see nas study resume")
            put_tags(session, row.id, tags)
            add_event(session, name, "submit", f"priority {priority}" if priority else "")
            return Study(self._database, row, self._lease_s)

    def claim(self, runner: str) -> Study | None:
        """Take the first study of the queue, or one of the queue whose runner died; None if there is none.

        The study is taken: enter ``study.held(runner)`` at once, which renews its lease and releases it.
        """
        with self._database.read() as session:
            found = list(session.scalars(_waiting()))
            now = session.scalars(select(epoch_seconds())).one()
        for row in found:
            if row.state == "running" and is_live(row, now, self._lease_s):
                continue
            free = or_(StudyRow.state == "queued", no_runner(row, self._lease_s))
            with self._database.write() as session:
                fence = take_row(session, row, runner, and_(StudyRow.id == row.id, _IN_QUEUE, free))
            if fence is not None:
                return Study(self._database, row, self._lease_s, fence)
        return None

    def is_empty(self) -> bool:
        """Return whether no study of the queue waits or runs."""
        with self._database.read() as session:
            return session.scalar(select(StudyRow.id).where(_IN_QUEUE).limit(1)) is None

    def pause(self, name: str) -> str:
        """Let no more work of a queued or running study begin until ``resume``; return the state.

        Raises:
            ConflictError: it is neither.
        """
        asked = and_(StudyRow.state == "running", or_(StudyRow.wish.is_(None), StudyRow.wish == "pause"))
        return self._move(name, "pause", or_(StudyRow.state == "queued", asked), "paused", "pause")

    def stop(self, name: str) -> str:
        """End a study for good once the work that runs is finished; return the state.

        Raises:
            ConflictError: it has ended, or was never submitted or run.
        """
        states = ("queued", "running", "paused", "interrupted")
        return self._move(name, "stop", StudyRow.state.in_(states), "stopped", "stop")

    def resume(self, name: str) -> str:
        """Put a paused, interrupted or failed study back into the queue, or withdraw a pause; return the state.

        Raises:
            ConflictError: it is none of these.
        """
        running = and_(StudyRow.state == "running", or_(StudyRow.wish.is_(None), StudyRow.wish == "pause"))
        return self._move(
            name,
            "resume",
            or_(StudyRow.state.in_(("paused", "interrupted", "failed")), running),
            "queued",
            None,
            live_too=StudyRow.wish == "pause",
        )

    def cancel(self, name: str) -> str:
        """End a study now and for good; the work that runs is thrown away. Return the state.

        Raises:
            ConflictError: it has ended.
        """
        states = ("new", "queued", "running", "paused", "interrupted")
        with self._database.write() as session:
            row = get_row(session, name)
            values = {**_NO_MORE, "state": "cancelled", "queued_at": None, "reason": "", "updated_at": epoch_seconds()}
            if not _moved(session, and_(StudyRow.id == row.id, StudyRow.state.in_(states)), values):
                raise self._refused(session, row, "cancel")
            add_event(session, name, "cancel")
        return "cancelled"

    def change(self, name: str, *, priority: int | None = None, budget: Budget | None = None) -> None:
        """Change the priority or the budget, also of a study that runs."""
        values: dict[str, Any] = {"updated_at": epoch_seconds()}
        if priority is not None:
            values["priority"] = _check_priority(priority)
        if budget is not None:
            values |= {"max_evaluations": budget.max_evaluations, "max_hours": budget.max_hours}
        with self._database.write() as session:
            row = get_row(session, name)
            _moved(session, StudyRow.id == row.id, values)
            add_event(session, name, "change", ", ".join(f"{k} {v}" for k, v in values.items() if k != "updated_at"))

    def _move(
        self,
        name: str,
        verb: str,
        allowed: ColumnElement[bool],
        state: str,
        wish: str | None,
        live_too: ColumnElement[bool] | None = None,
    ) -> str:
        """Set ``wish`` where a live runner holds the study and ``state`` where none does, if ``allowed``."""
        with self._database.write() as session:
            row = get_row(session, name)
            live = and_(StudyRow.state == "running", not_(no_runner(row, self._lease_s)))
            if live_too is not None:
                allowed = and_(allowed, or_(not_(live), live_too))
            idle: dict[str, Any] = {**_NO_MORE, "state": state, "reason": ""}
            idle["queued_at"] = func.coalesce(StudyRow.queued_at, epoch_seconds()) if state == "queued" else None
            if state == "paused":
                idle["queued_at"] = StudyRow.queued_at
            values: dict[str, Any] = {
                key: case((live, getattr(StudyRow, key)), else_=value) for key, value in idle.items()
            }
            values["wish"] = case((live, wish), else_=None)
            values["updated_at"] = epoch_seconds()
            if not _moved(session, and_(StudyRow.id == row.id, allowed), values):
                raise self._refused(session, row, verb)
            add_event(session, name, verb)
            return self._shown(session, row)

    def _shown(self, session: Session, row: StudyRow) -> str:
        session.refresh(row)
        return shown_state(row, session.scalars(select(epoch_seconds())).one(), self._lease_s)

    def _refused(self, session: Session, row: StudyRow, verb: str) -> ConflictError:
        state = self._shown(session, row)
        return ConflictError(f"study {row.name!r} is {state}: {verb} is for {_FOR[verb]}: nas study show has its state")


_IN_QUEUE = and_(
    StudyRow.queued_at.is_not(None),
    or_(StudyRow.state == "queued", and_(StudyRow.state == "running", StudyRow.wish.is_(None))),
)
_NO_MORE = {**NOBODY, "fence": StudyRow.fence + 1}
_FOR = {
    "pause": "queued and running studies",
    "resume": "paused, interrupted and failed studies",
    "stop": "queued, running, paused and interrupted studies",
    "cancel": "studies that have not ended",
}


def _waiting() -> Any:
    """Return the query of what a runner may take: all that run (few), and the head of those that wait."""
    order = (StudyRow.priority.desc(), StudyRow.queued_at, StudyRow.id)
    head = select(StudyRow.id).where(StudyRow.state == "queued").order_by(*order).limit(NUM_LOOKED_AT)
    return select(StudyRow).where(_IN_QUEUE, or_(StudyRow.state == "running", StudyRow.id.in_(head))).order_by(*order)


def _moved(session: Session, condition: ColumnElement[bool], values: dict[str, Any]) -> bool:
    changed = update(StudyRow).where(condition).values(values).returning(StudyRow.id)
    return session.scalar(changed, execution_options=PLAIN) is not None


def _check_priority(priority: int) -> int:
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise UsageError(f"priority {priority}: allowed: {-MAX_PRIORITY} to {MAX_PRIORITY}; the highest runs first")
    return priority
