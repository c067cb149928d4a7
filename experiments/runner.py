"""A runner: takes the studies of the queue, one after another, and runs each to its end."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from experiments.job import run_job
from experiments.store.store import Fenced, Halted, Store, Study
from experiments.talk import Talk
from search_spaces.errors import NasError, PartialError, StorageError

POLL_S = 1.0
"""Between two looks at an empty queue."""


def runner_name() -> str:
    """Return the name of a runner in this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def run_queue(store: Store, out: Path, talk: Talk, *, until_empty: bool = False, callbacks: Sequence[str] = ()) -> int:
    """Run studies of the queue until it is told to end, and return how many ended well.

    Args:
        store: of the queue.
        out: the folder of all studies, where their files go; relative paths of settings start at the current folder.
        talk: what a person is told.
        until_empty: end once no study waits or runs anywhere. Then a study that failed raises at the end.
        callbacks: names of loggers that are told of every study's finished work (``experiments.callback``).

    Raises:
        StorageError: the database or a folder failed; the study goes on with the next runner that takes it.
        PartialError: with ``until_empty``, studies failed.
    """
    name = runner_name()
    num_run, failed = 0, list[str]()
    while True:
        study = store.queue.claim(name)
        if study is not None:
            talk.say(f"runner {name}: study {study.name}")
            if _run(study, out, talk, name, callbacks):
                num_run += 1
            else:
                failed.append(study.name)
        elif until_empty and store.queue.is_empty():
            break
        else:
            time.sleep(POLL_S)
    if failed:
        raise PartialError(f"{len(failed)} studies failed ({', '.join(failed[:5])}): nas study list says why")
    return num_run


def _run(study: Study, out: Path, talk: Talk, name: str, callbacks: Sequence[str]) -> bool:
    """Run one study and return whether it did not fail: what befalls it must not end the runner."""
    try:
        run_job(study, out, talk, name, callbacks)
    except StorageError:
        raise
    except (Fenced, Halted) as error:
        talk.say(str(error))
    except NasError as error:
        talk.warn(f"study {study.name!r} failed: {error}")
        return False
    except Exception as error:
        talk.warn(f"study {study.name!r} failed by a defect: {error!r}")
        return False
    return True


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM interrupt the body as Ctrl-C does: a runner that is told to end gives its study back."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
