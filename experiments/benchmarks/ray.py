"""What Ray costs an evaluation: jobs of a known length in actors, one after another and many at a time."""

from __future__ import annotations

import time
from typing import Any

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

TARGET_OVERHEAD_MS = 10.0


class SleepingActor:
    """Does jobs that take a given time and no processor, so that two do not slow each other on one core."""

    def ready(self) -> bool:
        """Return once the actor has started."""
        return True

    def run(self, seconds: float) -> float:
        """Take ``seconds`` and return the seconds that were taken."""
        start = time.perf_counter()
        time.sleep(seconds)
        return time.perf_counter() - start


@benchmarks.register("ray")
def run(jobs: int = 200, job_ms: float = 20.0, workers: str = "1,2", address: str = "local") -> dict[str, Any]:
    """Time jobs of a known length in 1 and more workers of Ray: jobs a second, and the overhead of each.

    The overhead is a worker's time for a job, less what the job itself took there. Starting Ray and its workers is
    told apart, and no part of it.

    Args:
        jobs: for each number of workers.
        job_ms: that each takes, without using the processor.
        workers: numbers of workers, separated by commas.
        address: of a cluster; local starts one here.

    Raises:
        UsageError: a number is less than 1, or no cluster answers.
    """
    from experiments.benchmarks.search import evaluation_counts
    from experiments.machine import machine, versions
    from experiments.ray_cluster import connected
    from predictors.machine_load import load_snapshot, other_load

    if jobs < 1 or job_ms < 0:
        raise UsageError(f"jobs is {jobs} and job_ms {job_ms}: give at least 1 job of at least 0 ms")
    counts = evaluation_counts(workers)
    start = time.perf_counter()
    with connected(address) as ray:
        ray_s = time.perf_counter() - start
        before = load_snapshot()
        rows = [_time(ray, count, jobs, job_ms) for count in counts]
        load = other_load(before, load_snapshot())
    return {
        "benchmark": "ray",
        "jobs": jobs,
        "job_ms": job_ms,
        "start_of_ray_s": round(ray_s, 2),
        "results": rows,
        "target_overhead_ms": TARGET_OVERHEAD_MS,
        "met": all(row["overhead_ms"] < TARGET_OVERHEAD_MS for row in rows),
        "other_work": load,
        "machine": machine(),
        "versions": versions(),
    }


def _time(ray: Any, count: int, jobs: int, job_ms: float) -> dict[str, float]:
    from experiments.ray_workers import RayWorkers

    # They sleep: a core each would limit them to as many as the machine has.
    actor = ray.remote(num_cpus=0)(SleepingActor)
    start = time.perf_counter()
    pool: RayWorkers[int] = RayWorkers(ray, actor.remote, count, lambda _: job_ms / 1e3)
    list(pool.run(range(count), lambda _: None))
    workers_s = time.perf_counter() - start
    start = time.perf_counter()
    took = [seconds for _, seconds in pool.run(range(jobs), lambda _: None)]
    seconds = time.perf_counter() - start
    pool.close()
    return {
        "workers": count,
        "start_of_workers_s": round(workers_s, 2),
        "jobs_per_s": round(jobs / seconds, 1),
        "overhead_ms": round(1e3 * (count * seconds - sum(took)) / jobs, 2),
    }
