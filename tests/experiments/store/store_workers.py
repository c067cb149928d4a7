"""What the other processes of test_store_processes.py run."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from experiments.store.store import Fenced, Store
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.errors import ConflictError


def claim(
    url: str, number: int, num_studies: int, barrier: Barrier, claimed: Queue[tuple[int, list[str], str]]
) -> None:
    """Open the database, which is not made yet, and take as many of its studies as possible."""
    won, failure = [], ""
    try:
        barrier.wait(60)
        # None of them renews its lease, and a busy machine may need minutes: only the claims are at stake here.
        store = Store.open(url, lease_s=3600.0)
        names = [f"study {index}" for index in range(num_studies)]
        random.Random(number).shuffle(names)
        for name in names:
            try:
                store.study(name, {}, seed=0).take(f"runner {number}")
                won.append(name)
            except ConflictError:
                pass
    except Exception as error:
        failure = repr(error)
    claimed.put((number, won, failure))
    # A runner that has ended would be taken over.
    barrier.wait(60)


def work(url: str, name: str) -> None:
    """Finish units of work for ever and print each."""
    study = Store.open(url).load(name)
    network = Architecture("toy", "{}", (("depth", 1),))
    with study.held("worker"):
        for index in itertools.count(len(study.done("evaluation"))):
            study.begin("evaluation", str(index))
            latency = Measurement("latency_ms", float(index), "ms", "analytic")
            study.finish("evaluation", str(index), {"index": index, "pad": "x" * 2000}, [latency], network)
            print(index, flush=True)


def doze(url: str, name: str) -> None:
    """Take the study, stop this process in the middle of a unit of work, and try to finish it after waking."""
    study = Store.open(url, lease_s=0.5).load(name)
    study.take("late")
    study.begin("evaluation", "k")
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        study.finish("evaluation", "k", {"late": True})
    except Fenced as error:
        print(error)


if __name__ == "__main__":
    {"work": work, "doze": doze}[sys.argv[1]](*sys.argv[2:])
