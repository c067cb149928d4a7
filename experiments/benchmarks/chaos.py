"""Runners that are killed at random while they work through a queue: what was lost, done twice or told to a user."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    import psutil

    from experiments.store.store import Store

EVALUATIONS, EVALUATION_S = 100, 0.1
BAD_WORDS = ("locked", "deadlock", "Traceback", "IntegrityError", "defect")


@benchmarks.register("chaos")
def run(
    storage: str = "",
    runners: int = 4,
    studies: int = 24,
    seconds: float = 60.0,
    kill_every_s: float = 2.0,
    patience_s: float = 1200.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Kill runners of the queue at random, and check that every study ends as undisturbed, each evaluation stored once.

    Args:
        storage: an empty database; a SQLite file in a temporary folder by default.
        runners: under one supervisor.
        studies: tabular, without torch, of 100 evaluations of 0.1 s each.
        seconds: for which one runner at a time is killed (SIGKILL), from the first kill.
        kill_every_s: seconds between two kills.
        patience_s: seconds until all must have ended.
        seed: of the kills.

    Raises:
        UsageError: the database holds studies already.
    """
    from experiments.machine import machine, versions
    from experiments.store.store import Store

    with tempfile.TemporaryDirectory() as name:
        out, url = Path(name), storage or str(Path(name) / "nas.db")
        with Store.open(url) as store:
            if store.studies():
                raise UsageError("the storage holds studies already: give an empty database")
            expected = {f"study {index}": _submit(store, f"study {index}", index) for index in range(studies)}
            with (out / "said.txt").open("w") as said:
                start = time.monotonic()
                kills = _disturb(store, url, out, said, runners, (seconds, kill_every_s, patience_s), seed)
                took_s = time.monotonic() - start
            found = _check(store, expected, (out / "said.txt").read_text())
            found["slowest_take_over_s"] = _slowest_take_over(store, kills)
    return {
        "benchmark": "chaos",
        "database": "PostgreSQL" if url.startswith("postgres") else "SQLite",
        "runners": runners,
        "kills": len(kills),
        "seconds": round(took_s, 1),
        **found,
        "machine": machine(),
        "versions": versions(),
    }


def _submit(store: Store, name: str, seed: int) -> set[tuple[float, ...]]:
    """Queue a study and return the front that it must end in."""
    from experiments.job import make_job, submit_job
    from experiments.tabular_study import TabularConfig, make_algorithm, make_table
    from nas.search.search import run_search

    search = {"evaluations": EVALUATIONS, "settings": {"num_initial": 20, "num_offspring": 10}}
    content = {"name": name, "seed": seed, "table": {"evaluation_s": EVALUATION_S}, "search": search}
    config = make_job(content, "chaos")
    assert isinstance(config, TabularConfig)
    submit_job(store, config)
    table = make_table(config)
    result = run_search(make_algorithm(config, table), table.evaluate, EVALUATIONS, table.box)
    return set(map(tuple, result.values[result.front].tolist()))


def _disturb(
    store: Store, url: str, out: Path, said: Any, runners: int, times_s: tuple[float, float, float], seed: int
) -> list[tuple[float, str]]:
    """Run the queue under a supervisor and kill its runners; return (seconds since 1970, study) of each kill."""
    import psutil

    for_s, every_s, patience_s = times_s
    command = [sys.executable, "-m", "experiments", "runner", "--processes", str(runners), "--until-empty"]
    process = subprocess.Popen(  # noqa: S603 - this program itself
        [*command, "--storage", url, "--out", str(out)], stdout=said, stderr=said
    )
    supervisor, rng, kills = psutil.Process(process.pid), np.random.default_rng(seed), list[tuple[float, str]]()
    start = first = time.monotonic()
    try:
        while process.poll() is None and (not kills or time.monotonic() - first < for_s):
            time.sleep(every_s)
            victims = _runners_of(supervisor)
            if not victims:
                continue
            if not kills:
                first = time.monotonic()
            victim = victims[rng.integers(len(victims))]
            held = [study.name for study in store.studies(state="running") if study.runner.endswith(f":{victim.pid}")]
            victim.kill()
            kills.append((time.time(), held[0] if held else ""))
        process.wait(max(1.0, patience_s - (time.monotonic() - start)))
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return kills


def _runners_of(supervisor: psutil.Process) -> list[psutil.Process]:
    """Return the processes that the supervisor's fork server started."""
    import psutil

    found = []
    try:
        for child in supervisor.children():
            if "forkserver" in " ".join(child.cmdline()):
                found += child.children()
    except psutil.NoSuchProcess:
        return []
    return found


def _check(store: Store, expected: Mapping[str, set[tuple[float, ...]]], said: str) -> dict[str, Any]:
    from experiments.stored_front import stored_front

    ended = {study.name: study.state for study in store.studies()}
    wrong_fronts, stored, repeated = 0, 0, 0
    for name, front in expected.items():
        study = store.load(name)
        done, attempts = study.done("evaluation"), study.attempts("evaluation")
        copies = Counter(key for key, _ in study.measurements())
        stored += len(done) == EVALUATIONS and set(copies.values()) == {2} and len(copies) == EVALUATIONS
        repeated += sum(attempts.values()) - len(attempts)
        found = stored_front(study)
        wrong_fronts += set(map(tuple, found.values[found.mask].tolist())) != front
    return {
        "studies": len(expected),
        "done": sum(state == "done" for state in ended.values()),
        "with_each_evaluation_once": stored,
        "evaluations_begun_again": repeated,
        "other_fronts_than_undisturbed": wrong_fronts,
        "bad_lines": [line for line in said.splitlines() if any(word in line for word in BAD_WORDS)],
    }


def _slowest_take_over(store: Store, kills: list[tuple[float, str]]) -> float | None:
    """Return the most seconds between the kill of a study's runner and the next one's taking it."""
    taken = [(event.at.timestamp(), event.study) for event in store.events(limit=1_000_000) if event.event == "running"]
    waits = [
        min((at - killed for at, name in taken if name == study and at > killed), default=0.0)
        for killed, study in kills
        if study
    ]
    return round(max(waits), 2) if waits else None
