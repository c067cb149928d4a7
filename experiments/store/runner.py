"""Who runs a study: this process's identity, whether a holder is gone, and the thread that keeps one alive."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from sqlalchemy import ColumnElement, and_, or_

from experiments.store.models import StudyRow, epoch_seconds
from search_spaces.errors import ConflictError, NasError

log = logging.getLogger(__name__)
# psutil derives the start from the boot time, which the clock's corrections move a little.
START_TOLERANCE_S = 2.0


def identity() -> dict[str, str | int | float]:
    """Return host, pid and pid_started (seconds since 1970) of this process."""
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "pid_started": float(psutil.Process(pid).create_time())}


def is_gone(row: StudyRow) -> bool:
    """Return whether the holder ran on this host and its process has ended; of another host nothing is known."""
    if row.pid is None or row.pid_started is None or row.host != socket.gethostname():
        return False
    try:
        process = psutil.Process(row.pid)
        reused = abs(process.create_time() - row.pid_started) > START_TOLERANCE_S
        return bool(reused or process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def is_live(row: StudyRow, now: float, lease_s: float) -> bool:
    """Return whether a runner holds the study at ``now``, the database's time."""
    return row.heartbeat_at is not None and now - row.heartbeat_at <= lease_s and not is_gone(row)


def no_runner(row: StudyRow, lease_s: float) -> ColumnElement[bool]:
    """Return the SQL condition that no live runner holds a study; ``row`` is what was read of it before."""
    free = or_(StudyRow.runner.is_(None), epoch_seconds() - StudyRow.heartbeat_at > lease_s)
    if row.runner is not None and is_gone(row):
        # The fence names the dead holder: one that took the study since the row was read keeps it.
        free = or_(free, StudyRow.fence == row.fence)
    return free


def is_free(row: StudyRow, lease_s: float) -> ColumnElement[bool]:
    """Return the SQL condition that it is this study, and that no live runner holds it."""
    return and_(StudyRow.id == row.id, no_runner(row, lease_s))


def held_by(row: StudyRow, now: float, lease_s: float) -> ConflictError:
    """Return the error that another runner holds the study."""
    age = now - (row.heartbeat_at or now)
    return ConflictError(
        f"study {row.name!r} is held by runner {row.runner!r} on host {row.host} (process {row.pid}), heartbeat "
        f"{age:.0f} s ago: stop that runner, or wait until it ends or its heartbeat is {lease_s:.0f} s old"
    )


@contextmanager
def beating(
    heartbeat: Callable[[], None], interval_s: float, on_lost: Callable[[ConflictError], None] | None = None
) -> Iterator[None]:
    """Call ``heartbeat`` in a daemon thread while the body runs.

    A study that is lost ends the thread, after ``on_lost``; a database that fails is told once, and tried again.
    """
    stop = threading.Event()

    def beat() -> None:
        failing = False
        while not stop.wait(interval_s):
            try:
                heartbeat()
                failing = False
            except ConflictError as error:
                log.warning("%s", error)
                if on_lost is not None:
                    on_lost(error)
                return
            except NasError as error:
                if not failing:
                    log.warning("a heartbeat failed and is tried again every %.1f s: %s", interval_s, error)
                failing = True

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
