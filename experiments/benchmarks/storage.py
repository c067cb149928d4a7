"""How long a database of very many evaluations takes to list, to page through, to give its front and a report."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.report.data import ReportData
    from experiments.store.store import Store, Study

REPEATS = 5


@benchmarks.register("storage")
def run(evaluations: int = 100_000, storage: str = "", report: bool = True, seed: int = 0) -> dict[str, Any]:
    """Time the reading of a study of very many evaluations; times are medians, memory is the peak of a process.

    Args:
        evaluations: of the study, with three measurements each.
        storage: an empty database; a SQLite file in a temporary folder by default.
        report: also write report.html of all of them, in a process of its own.
        seed: of the values.

    Raises:
        UsageError: the database holds studies already, or there is no evaluation.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from experiments.benchmarks.storage_rows import make_rows
    from experiments.machine import machine, versions
    from experiments.store.store import Store
    from experiments.stored_front import stored_front
    from nas.search.objectives import to_minimised
    from nas.search.pareto import non_dominated
    from predictors.machine_load import load_snapshot, other_load

    if evaluations < 1:
        raise UsageError(f"evaluations got {evaluations}: give at least 1")
    with tempfile.TemporaryDirectory() as name:
        url = storage or str(Path(name) / "nas.db")
        with Store.open(url) as store:
            if store.studies():
                raise UsageError("the storage holds studies already: give an empty database")
            begun = time.perf_counter()
            make_rows(store, "many", evaluations, seed)
            made_s = time.perf_counter() - begun
            before = load_snapshot()
            found = _reading(store, store.load("many"), evaluations)
            front_s, front = _timed(lambda: stored_front(store.load("many")), 1)
            points = to_minimised(front.values, front.objectives)
            sort_s, _ = _timed(lambda: non_dominated(points), 1)
        found |= {"front_from_database_s": front_s, "front_of_values_s": sort_s, "front_size": int(front.mask.sum())}
        if report:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                found |= pool.submit(report_of, url, name).result()
    return {
        "benchmark": "storage",
        "database": "PostgreSQL" if url.startswith("postgres") else "SQLite",
        "evaluations": evaluations,
        "making_rows_s": round(made_s, 1),
        **{key: round(value, 4) if isinstance(value, float) else value for key, value in found.items()},
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _timed(function: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """Return the median of the seconds, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), result


def _reading(store: Store, study: Study, num: int) -> dict[str, float]:
    found = {
        "list_of_studies_ms": 1e3 * _timed(store.studies)[0],
        "first_page_ms": 1e3 * _timed(lambda: study.evaluations(limit=100))[0],
        "middle_page_ms": 1e3 * _timed(lambda: study.evaluations(after=num // 2, limit=100))[0],
    }
    found["values_to_pandas_s"] = _timed(study.values, 1)[0]
    return found


def report_of(url: str, folder: str) -> dict[str, float]:
    """Write the report of every evaluation, and return what it took."""
    from experiments.report.page import write_report
    from experiments.store.store import Store

    start = time.perf_counter()
    with Store.open(url, readonly=True) as store:
        data = _report_data(store.load("many"))
    path = Path(folder) / "report.html"
    write_report(data, path)
    return {
        "report_s": time.perf_counter() - start,
        "report_mib": path.stat().st_size / 2**20,
        "report_peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _report_data(study: Study) -> ReportData:
    """Return the report's data with every evaluation as a candidate of one front."""
    from experiments.benchmarks.storage_rows import COSTS
    from experiments.report.data import Candidate, Front, Quantity, ReportData, SpaceInfo, StudyInfo
    from experiments.stored_front import stored_front

    front = stored_front(study, ["accuracy", "latency_ms@made", "macs"])
    candidates = tuple(
        Candidate(
            key=f"{sequence:064x}",
            label=f"C{sequence}",
            accuracy=Quantity(value=accuracy, unit="%", obtained="measured"),
            latency_ms=Quantity(value=latency_ms, unit="ms", obtained="predicted"),
            on_front=on_front,
            macs=int(macs),
            **COSTS,
        )
        for sequence, (accuracy, latency_ms, macs), on_front in zip(
            front.sequences.tolist(), front.values.tolist(), front.mask.tolist(), strict=True
        )
    )
    info = StudyInfo(name="many", created="2026-01-01T00:00:00Z", seed=0, space=SpaceInfo(name="made", size="1"))
    return ReportData(study=info, fronts=(Front(target="made", recipe="made", candidates=candidates),))
