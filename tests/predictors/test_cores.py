import os
import threading
from types import SimpleNamespace

import pytest

from predictors import cores
from predictors.cores import pinned_cores

ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
several = pytest.mark.skipif(ALLOWED < 2, reason="this process may use one core alone")


def test_all_cores_leave_nothing_to_choose():
    before = os.sched_getaffinity(0)
    with pinned_cores(ALLOWED) as chosen:
        assert chosen == ()
        assert os.sched_getaffinity(0) == before


@several
def test_one_core_is_held_and_given_back_also_for_other_threads():
    before = os.sched_getaffinity(0)
    inside, leave = threading.Event(), threading.Event()
    number = []

    def work():
        number.append(threading.get_native_id())
        inside.set()
        leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    with pinned_cores(1) as chosen:
        assert len(chosen) == 1
        assert os.sched_getaffinity(0) == os.sched_getaffinity(number[0]) == set(chosen)
    assert os.sched_getaffinity(0) == os.sched_getaffinity(number[0]) == before
    leave.set()
    thread.join()


@several
def test_cores_are_given_back_after_an_error():
    before = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError), pinned_cores(1):
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before


def test_the_idlest_are_chosen(monkeypatch):
    import psutil

    times = iter([[0.0, 0.0, 0.0], [0.01, 0.05, 0.04]])
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [SimpleNamespace(idle=idle) for idle in next(times)])
    monkeypatch.setattr(cores, "WATCH_S", 0.0)
    assert cores._idlest([0, 1, 2], 2) == (1, 2)
