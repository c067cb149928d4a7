from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tabular_jobs import submit

from experiments.runner import ending_on_sigterm, run_queue
from experiments.store.store import Budget, Store
from experiments.talk import Talk
from search_spaces.errors import PartialError, StorageError

QUIET = Talk(quiet=True)


def states(store: Store) -> dict[str, str]:
    return {study.name: study.state for study in store.studies()}


def test_a_runner_runs_the_queue_and_survives_a_study_that_fails(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        submit(store, "good")
        store.queue.submit("bad", {"tune": 1}, seed=0, priority=1)
        submit(store, "short")
        store.queue.change("short", budget=Budget(max_evaluations=5))
        with pytest.raises(PartialError, match=r"1 studies failed \(bad\)"):
            run_queue(store, tmp_path, QUIET, until_empty=True)
        assert states(store) == {"good": "done", "bad": "failed", "short": "stopped"}
        assert "name is missing" in store.studies(name="bad")[0].reason
    assert "warning: study 'bad' failed" in capfd.readouterr().err


def test_a_folder_that_fails_ends_the_runner_and_the_study_waits_for_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Store.open(str(tmp_path / "nas.db")) as store:
        submit(store, "a")
        with pytest.raises(StorageError, match="can't write to the folder"):
            run_queue(store, tmp_path / "file", QUIET, until_empty=True)
        assert states(store) == {"a": "queued"}
        assert run_queue(store, tmp_path, QUIET, until_empty=True) == 1
        assert states(store) == {"a": "done"}


def test_sigterm_gives_the_study_back(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        submit(store, "a", evaluation_s=0.2)

        def end() -> None:
            while not store.load("a").done("evaluation"):
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=end).start()
        with pytest.raises(KeyboardInterrupt), ending_on_sigterm():
            run_queue(store, tmp_path, QUIET)
        assert states(store) == {"a": "queued"}
