"""Jobs on several processes of one machine, each on one thread, that end when their parent does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from search_spaces.errors import UsageError

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], processes: int = 1
) -> Iterator[tuple[Job, Result]]:
    """Yield (job, result) as jobs end.

    Args:
        function: of a module, as every process imports it anew; it runs on one thread of torch, so that the same job
            gives the same result however many processes there are.
        jobs: picklable.
        processes: 1 runs the jobs here, in order.

    Raises:
        UsageError: ``processes`` is less than 1.
    """
    if processes < 1:
        raise UsageError(f"processes got {processes}: give at least 1")
    if processes == 1 or len(jobs) < 2:
        from predictors.runtime import pinned_threads

        with pinned_threads(1):
            for job in jobs:
                yield job, function(job)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    with ProcessPoolExecutor(min(processes, len(jobs)), get_context("spawn"), _prepare) as pool:
        futures = {pool.submit(function, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _prepare() -> None:
    import torch

    torch.set_num_threads(1)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """End this process when its parent is gone: a killed run must not leave others that compute for nobody."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
