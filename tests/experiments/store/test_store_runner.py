from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable

import psutil
import pytest
from sqlalchemy import update

from experiments.store.models import StudyRow
from experiments.store.runner import beating, identity, is_gone
from experiments.store.store import Store, Study
from search_spaces.errors import ConflictError, StorageError


@pytest.fixture
def ended() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def holder(**changes: object) -> StudyRow:
    return StudyRow(**{**identity(), **changes})


def test_this_process_is_not_gone() -> None:
    assert not is_gone(holder())


def test_an_ended_process_is_gone(ended: int) -> None:
    assert is_gone(holder(pid=ended))


def test_a_process_of_another_host_is_not_known_to_be_gone(ended: int) -> None:
    assert not is_gone(holder(pid=ended, host="elsewhere"))


def test_a_later_process_with_the_same_id_is_another_one() -> None:
    assert is_gone(holder(pid_started=psutil.Process().create_time() - 60))


def test_a_killed_process_that_its_parent_did_not_collect_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    process.kill()
    zombie = psutil.Process(process.pid)
    while zombie.status() != psutil.STATUS_ZOMBIE:
        pass
    assert is_gone(holder(pid=process.pid, pid_started=started))
    process.communicate()


def set_holder(study: Study, **values: object) -> None:
    with study._database.write() as session:
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(**values))


def test_a_study_of_a_dead_runner_is_free_at_once(store: Store, ended: int) -> None:
    study = store.study("a", {}, seed=0)
    study.take("dead")
    set_holder(study, pid=ended)
    assert study.state == "interrupted"
    assert store.studies()[0].state == "interrupted"
    store.load("a").take("next")
    assert study.state == "running"


def test_a_study_of_a_dead_runner_can_be_deleted(store: Store, ended: int) -> None:
    study = store.study("a", {}, seed=0)
    study.take("dead")
    set_holder(study, pid=ended)
    store.delete("a")
    assert store.studies() == []


def test_a_runner_of_another_host_is_waited_for(store: Store, ended: int, expire: Callable[[Study], None]) -> None:
    study = store.study("a", {}, seed=0)
    study.take("far")
    set_holder(study, pid=ended, host="elsewhere")
    with pytest.raises(ConflictError, match="held by runner 'far' on host elsewhere"):
        store.load("a").take("next")
    expire(study)
    store.load("a").take("next")


def test_beating_ends_quietly_when_the_study_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    lost = threading.Event()
    calls = []

    def heartbeat() -> None:
        calls.append(1)
        lost.set()
        raise ConflictError("the study was taken over")

    with caplog.at_level(logging.WARNING), beating(heartbeat, 0.001):
        assert lost.wait(10)
    assert len(calls) == 1
    assert "the study was taken over" in caplog.text


def test_beating_goes_on_after_a_failure_of_the_database(caplog: pytest.LogCaptureFixture) -> None:
    recovered = threading.Event()
    calls = []

    def heartbeat() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise StorageError("the database is locked")
        recovered.set()

    with caplog.at_level(logging.WARNING), beating(heartbeat, 0.001):
        assert recovered.wait(10)
    assert "a heartbeat failed and is tried again" in caplog.text
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())
