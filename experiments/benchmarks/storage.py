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
    from experiments.store.store import Study

REPEATS = 5


@benchmarks.register("storage")
def run(evaluations: int = 100_000, storage: str = "", report: bool = True, noise: float = 1.0) -> dict[str, Any]:
    """Time the reading of a study of very many evaluations; memory is the peak of the process that writes the report.

    Args:
        evaluations: of the study, with three measurements each.
        storage: an empty database; a SQLite file in a temporary folder by default.
        report: also write report.html of all of them, in a process of its own.
        noise: 0 to 1, how much networks of about the same size differ; without noise every network is on the front.

    Raises:
        UsageError: the database holds studies already, there is no evaluation, or the noise is not in 0 to 1.
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
    if not 0 <= noise <= 1:
        raise UsageError(f"noise got {noise}: allowed: 0 to 1")
    with tempfile.TemporaryDirectory() as name:
        url = storage or str(Path(name) / "nas.db")
        with Store.open(url) as store:
            if store.studies():
                raise UsageError("the storage holds studies already: give an empty database")
            begun = time.process_time()
            make_rows(store, "many", evaluations, noise)
            made_s = time.process_time() - begun
            before = load_snapshot()
            study = store.load("many")
            front, timed = _timed("front from the database", 20.0, lambda: stored_front(study))
            points = to_minimised(front.values, front.objectives)
            rows = [
                _timed("list of studies", 0.3, store.studies, REPEATS)[1],
                _timed("first page", 0.3, lambda: study.evaluations(limit=100), REPEATS)[1],
                _timed("page in the middle", 0.3, lambda: study.evaluations(after=evaluations // 2), REPEATS)[1],
                timed,
                _timed("front of the values", 2.0, lambda: non_dominated(points))[1],
            ]
        found: dict[str, Any] = {"front_size": int(front.mask.sum())}
        if report:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                row, memory = pool.submit(report_of, url, name).result()
            rows.append(row)
            found |= memory
    return {
        "benchmark": "storage",
        "database": "PostgreSQL" if url.startswith("postgres") else "SQLite",
        "evaluations": evaluations,
        "making_rows_cpu_s": round(made_s, 1),
        "results": rows,
        **found,
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _timed(what: str, target_s: float, function: Callable[[], Any], repeats: int = 1) -> tuple[Any, dict[str, Any]]:
    """Return the last result, and medians: by the clock, and of this process alone, which other work hardly slows."""
    times = []
    for _ in range(repeats):
        start = np.array([time.perf_counter(), time.process_time()])
        result = function()
        times.append(np.array([time.perf_counter(), time.process_time()]) - start)
    seconds, cpu_s = np.median(times, axis=0).tolist()
    return result, {"what": what, "seconds": round(seconds, 4), "cpu_s": round(cpu_s, 4), "target_s": target_s}


def report_of(url: str, folder: str) -> tuple[dict[str, Any], dict[str, float]]:
    """Write the report of every evaluation as a run does; return times, sizes and this process's peak memory."""
    from experiments.evaluated import evaluated_table, thin
    from experiments.report.page import write_report
    from experiments.store.store import Store
    from nas.files import write_text

    page, content = Path(folder) / "report.html", Path(folder) / "report.json"

    def write() -> None:
        with Store.open(url, readonly=True) as store:
            study = store.load("many")
            data = _report_data(study)
            data = data.model_copy(update={"table": thin(evaluated_table(study, data))})
        write_text(content, data.to_json())
        write_report(data, page)

    _, row = _timed("report", 15.0, write)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = {f"{path.name.replace('.', '_')}_mib": round(path.stat().st_size / 2**20, 1) for path in (page, content)}
    return row, {**sizes, "report_peak_memory_mib": round(memory)}


def _report_data(study: Study) -> ReportData:
    """Return the report's data with every evaluation as a candidate of one front."""
    from experiments.benchmarks.storage_rows import COSTS
    from experiments.report.data import Candidate, Front, Quantity, ReportData, SpaceInfo, StudyInfo
    from experiments.stored_front import stored_front

    front = stored_front(study, ["accuracy", "latency_ms@made", "macs"])
    candidates = tuple(
        Candidate(
            key=f"{sequence}",
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
