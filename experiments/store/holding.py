"""One runner at a time: taking a study, keeping it, giving it back.

The runner takes the study with one guarded UPDATE that also raises a number, the fence. Every later write starts by
renewing the heartbeat where the fence is still this runner's: a runner that was stopped for longer than the lease, and
whose study another one took, changes nothing.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.events import add_event
from experiments.store.models import StudyRow, epoch_seconds
from experiments.store.records import Records
from experiments.store.runner import beating, held_by, identity, is_free
from experiments.store.states import Ended, Fenced, Halted
from search_spaces.errors import ConflictError, NasError, StorageError

log = logging.getLogger(__name__)

BEAT_S = 2.0
"""Between two heartbeats, at most: after so long a runner knows that its study was cancelled."""
NOBODY: dict[str, Any] = dict.fromkeys(("runner", "host", "pid", "pid_started", "heartbeat_at", "wish"))
PLAIN = {"synchronize_session": False}


class Holding(Records):
    """The runner's side of a study."""

    def __init__(self, database: Database, row: StudyRow, lease_s: float, fence: int | None = None) -> None:
        super().__init__(database, row, lease_s)
        self._fence = fence

    def take(self, runner: str) -> None:
        """Become the study's runner, whatever its state.

        Raises:
            ConflictError: a live runner holds it, or it was deleted.
        """
        with self._database.write() as session:
            row = session.get(StudyRow, self.id)
            if row is None:
                raise ConflictError(f"study {self.name!r} was deleted: make it again")
            fence = take_row(session, row, runner, is_free(row, self._lease_s))
            if fence is None:
                session.refresh(row)
                raise held_by(row, session.scalars(select(epoch_seconds())).one(), self._lease_s)
        self._fence = fence

    def heartbeat(self) -> None:
        """Renew this runner's lease on the database's clock.

        Raises:
            Fenced: another runner took the study, or it was cancelled.
        """
        with self._database.write() as session:
            self._guard(session)

    def release(self, state: Ended, reason: str = "") -> None:
        """Stop being the study's runner and leave it in ``state``; an interrupted one of the queue waits there again.

        Args:
            state: as ``experiments.store.states`` says.
            reason: why, in a line, where a person will ask.
        """
        queue = {} if state in ("interrupted", "paused") else {"queued_at": None}
        left: Any = _interrupted() if state == "interrupted" else state
        with self._database.write() as session:
            row = self._guard(session, **{**NOBODY, **queue, "state": left, "reason": reason, **_updated()})
            add_event(session, self.name, row.state, reason)
        self._fence = None

    @contextmanager
    def held(self, runner: str) -> Iterator[Self]:
        """Take the study unless it is, renew the lease in a thread while the body runs, and release it.

        It is left ``done``; ``paused`` or ``stopped`` after Halted; ``interrupted`` after StorageError, whose cause
        may go away, KeyboardInterrupt and SystemExit; ``failed`` after another exception. The loss of the study
        interrupts the body.

        Raises:
            Fenced: it was lost; nothing more is written.
        """
        if self._fence is None:
            self.take(runner)
        lost: list[ConflictError] = []
        try:
            with beating(self.heartbeat, min(self._lease_s / 4, BEAT_S), _interrupter(lost)):
                yield self
        except Fenced:
            raise
        except Halted as halt:
            self._give_up(halt.state, halt.reason)
            raise
        except Exception as error:
            self._give_up("interrupted" if isinstance(error, StorageError) else "failed", _line(error))
            raise
        except BaseException:
            if lost:
                raise lost[0] from None
            self._give_up("interrupted")
            raise
        self.release("done")

    def _give_up(self, state: Ended, reason: str = "") -> None:
        try:
            self.release(state, reason)
        except NasError as error:
            # The body's own error goes on; the lease runs out by itself.
            log.warning("%s", error)

    def _guard(self, session: Session, **values: Any) -> StudyRow:
        """Renew the lease and set ``values`` if the fence is still this runner's; on PostgreSQL this locks the row."""
        if self._fence is None:
            raise ConflictError(f"study {self.name!r} is not taken by this runner: take it first")
        used = StudyRow.used_s + (epoch_seconds() - StudyRow.heartbeat_at)
        mine = update(StudyRow).where(StudyRow.id == self.id, StudyRow.fence == self._fence)
        renewed = mine.values({"used_s": used, "heartbeat_at": epoch_seconds(), **values}).returning(StudyRow)
        row = session.scalar(renewed, execution_options={**PLAIN, "populate_existing": True})
        if row is None:
            raise self._fenced(session)
        return row

    def _fenced(self, session: Session) -> Fenced:
        row = session.get(StudyRow, self.id)
        if row is None or row.runner is None:
            what = f"was {'deleted' if row is None else row.state}"
        else:
            what = f"was taken over by runner {row.runner!r} on host {row.host}"
        return Fenced(f"study {self.name!r} {what}: this runner's write was refused; what it finished before is kept")


def take_row(session: Session, row: StudyRow, runner: str, condition: ColumnElement[bool]) -> int | None:
    """Make this process the runner of ``row`` if ``condition`` holds; return the fence, or None."""
    now = {"heartbeat_at": epoch_seconds(), **_updated()}
    values = {"runner": runner, "state": "running", "wish": None, "reason": "", "fence": StudyRow.fence + 1}
    taken = update(StudyRow).where(condition).values({**values, **identity(), **now}).returning(StudyRow.fence)
    fence = session.scalar(taken, execution_options=PLAIN)
    if fence is not None:
        add_event(session, row.name, "running", runner)
    return fence


def _interrupted() -> ColumnElement[str]:
    """Return what becomes of a study whose runner is interrupted, in SQL: what was asked of it holds."""
    return case(
        (StudyRow.wish == "pause", "paused"),
        (StudyRow.wish == "stop", "stopped"),
        (StudyRow.queued_at.is_not(None), "queued"),
        else_="interrupted",
    )


def _interrupter(lost: list[ConflictError]) -> Callable[[ConflictError], None]:
    """Return what ends the body when the study is lost: as Ctrl-C would, if it runs in the main thread.

    By a signal of its own: a runner in the background of a shell ignores SIGINT.
    """
    main = threading.main_thread()
    held_by_main = threading.current_thread() is main
    if held_by_main:
        signal.signal(signal.SIGUSR1, signal.default_int_handler)

    def interrupt(error: ConflictError) -> None:
        lost.append(error)
        if held_by_main and main.ident is not None:
            # A signal, and not _thread.interrupt_main: it also ends a call that waits.
            signal.pthread_kill(main.ident, signal.SIGUSR1)

    return interrupt


def _updated() -> dict[str, Any]:
    return {"updated_at": epoch_seconds()}


def _line(error: Exception) -> str:
    return " ".join(f"{error if isinstance(error, NasError) else repr(error)}".split())[:1000]
