from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import store_workers

from experiments.store.store import Store

WORKERS = Path(store_workers.__file__)


def start(task: str, url: str, name: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(WORKERS), task, url, name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def check_sound(url: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()


@pytest.mark.parametrize(
    ("num_runners", "num_studies"), [(8, 25), pytest.param(32, 200, marks=pytest.mark.slow)], ids=str
)
def test_no_study_is_claimed_twice(url: str, num_runners: int, num_studies: int) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["experiments.store.store"])
    barrier, claimed = context.Barrier(num_runners), context.Queue()
    runners = [
        context.Process(target=store_workers.claim, args=(url, number, num_studies, barrier, claimed))
        for number in range(num_runners)
    ]
    for runner in runners:
        runner.start()
    results = [claimed.get(timeout=120) for _ in runners]
    for runner in runners:
        runner.join(60)
    claimed.close()
    claimed.join_thread()
    assert [failure for _, _, failure in results if failure] == []
    won = sorted(name for _, names, _ in results for name in names)
    assert won == sorted(f"study {index}" for index in range(num_studies))


def test_a_killed_runner_leaves_a_sound_database_and_restarts_at_once(url: str) -> None:
    with Store.open(url) as store:
        study = store.study("a", {}, seed=0)
        acknowledged: list[str] = []
        kills = 3
        for kill in range(kills):
            process = start("work", url, "a")
            assert process.stdout is not None
            for _ in range(20 + 13 * kill):
                acknowledged.append(process.stdout.readline().strip())
            time.sleep(random.Random(kill).random() * 0.01)
            process.kill()
            acknowledged += process.communicate()[0].split()
            check_sound(url)
            assert study.state == "interrupted"
        done = study.done("evaluation")
        # The last unit may have been committed and not printed.
        assert list(done) == [str(index) for index in range(len(done))]
        assert set(acknowledged) <= set(done)
        assert [value.value for _, value in study.measurements()] == [float(index) for index in range(len(done))]
        repeated = [attempts for attempts in study.attempts("evaluation").values() if attempts > 1]
        assert sum(repeated) - len(repeated) <= kills


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_stopped_runner_that_wakes_too_late_is_fenced_out(url: str) -> None:
    with Store.open(url, lease_s=0.5) as store:
        study = store.study("a", {}, seed=0)
        process = start("doze", url, "a")
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        wait_until(lambda: study.state == "interrupted")
        study.take("next")
        study.begin("evaluation", "k")
        study.finish("evaluation", "k", {"late": False})
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "study 'a' was taken over by runner 'next'" in output
        assert study.done("evaluation") == {"k": {"late": False}}
        assert study.attempts("evaluation") == {"k": 2}
