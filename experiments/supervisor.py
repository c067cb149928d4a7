"""Several runners on one machine: one that dies is replaced."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from experiments.talk import Talk
from search_spaces.errors import PartialError, StorageError, UsageError

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
"""After a failure of the database: doubled with each one that follows."""
MAX_RUNNERS = 256
PRELOADED = ("experiments.cli", "experiments.runner", "nas.search.algorithms.nsga2", "moocore")


def supervise(
    storage: str, out: Path, talk: Talk, num: int, *, until_empty: bool = False, callbacks: Sequence[str] = ()
) -> None:
    """Keep ``num`` runners until interrupted, or until the queue is empty.

    Args:
        storage: URL of the database, which exists.
        out: the folder of all studies.
        talk: what a person is told.
        num: runners, each a process.
        until_empty: end when no study waits or runs.
        callbacks: of every runner, as ``experiments.runner.run_queue`` takes them.

    Raises:
        PartialError: with ``until_empty``, studies failed.
    """
    if not 1 <= num <= MAX_RUNNERS:
        raise UsageError(f"--processes got {num}: allowed: 1 to {MAX_RUNNERS}")
    context = multiprocessing.get_context("forkserver")
    # The imports of a runner take longer than its start otherwise.
    context.set_forkserver_preload(list(PRELOADED))
    runners = [
        _Runner(context, (storage, str(out), talk.quiet, until_empty, tuple(callbacks)), talk) for _ in range(num)
    ]
    try:
        _watch(runners)
    finally:
        for runner in runners:
            runner.end()
    if sum(runner.failed for runner in runners):
        raise PartialError("studies failed: nas study list says why")


def _watch(runners: Sequence[_Runner]) -> None:
    """Replace runners that die; return once each has ended by itself."""
    while running := [runner for runner in runners if not runner.ended]:
        for runner in running:
            runner.start_if_due()
        sentinels = [runner.process.sentinel for runner in running if runner.process is not None]
        wait(sentinels, timeout=0.2)
        for runner in running:
            runner.look()


@dataclass
class _Runner:
    """One place for a runner: its process, and what became of those before it."""

    context: multiprocessing.context.ForkServerContext
    arguments: tuple[str, str, bool, bool, tuple[str, ...]]
    talk: Talk
    process: ForkServerProcess | None = None
    ended: bool = False
    failed: bool = False
    wait_s: float = 0.0
    due_at: float = field(default_factory=time.monotonic)

    def start_if_due(self) -> None:
        if self.process is None and time.monotonic() >= self.due_at:
            self.process = self.context.Process(target=_runner, args=self.arguments)
            self.process.start()

    def look(self) -> None:
        """Note whether the process has ended, and when the next one is due."""
        if self.process is None or self.process.exitcode is None:
            return
        code, pid, self.process = self.process.exitcode, self.process.pid, None
        self.ended = code in (0, PartialError.exit_code)
        self.failed = self.failed or code == PartialError.exit_code
        if self.ended:
            return
        # A killed runner is replaced at once; one that met a broken database lets it come back.
        self.wait_s = min(max(FIRST_WAIT_S, 2 * self.wait_s), LONGEST_WAIT_S) if code == StorageError.exit_code else 0.0
        self.due_at = time.monotonic() + self.wait_s
        what = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self.talk.say(f"runner {pid} {what}: another one starts in {self.wait_s:.0f} s")

    def end(self) -> None:
        """Interrupt the process and wait until it has given its study back."""
        if self.process is not None and self.process.pid is not None:
            self.process.terminate()
            self.process.join()


def _runner(storage: str, out: str, quiet: bool, until_empty: bool, callbacks: Sequence[str]) -> None:
    """Be a runner, as a process of its own."""
    import sys
    import threading

    from experiments.runner import ending_on_sigterm, run_queue
    from experiments.store.store import Store
    from experiments.workers import end_with_parent
    from search_spaces.errors import NasError

    logging.basicConfig(format="%(message)s", level=logging.ERROR)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # Ctrl-C goes to all processes of the terminal; the supervisor tells this one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ending_on_sigterm(), Store.open(storage) as store:
            run_queue(store, Path(out), Talk(quiet), until_empty=until_empty, callbacks=callbacks)
    except NasError as error:
        print(f"nas: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
