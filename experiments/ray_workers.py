"""Actors of Ray that each do many jobs. A lost one is replaced where the cluster has room, and its jobs done again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from search_spaces.errors import NasError

Job = TypeVar("Job", bound=Hashable)

JOBS_IN_FLIGHT = 2
"""For each actor: it finds the next job waiting when it ends one."""
MAX_LOSSES = 3
"""Actors that one job may end, before it is taken for the cause."""


class RayWorkers(Generic[Job]):
    """A pool of actors, each with the methods ``ready()`` and ``run(job)``.

    Args:
        ray: the package, connected.
        make_actor: starts one.
        num: actors.
        pack: job -> what ``run`` is given.
    """

    def __init__(self, ray: Any, make_actor: Callable[[], Any], num: int, pack: Callable[[Job], Any]) -> None:
        self._ray, self._make_actor, self._pack = ray, make_actor, pack
        self._idle: deque[Any] = deque()
        self._starting: dict[Any, Any] = {}
        self._losses: Counter[Job] = Counter()
        self._gone: list[Any] = []
        for _ in range(num):
            self._start()

    def run(self, jobs: Sequence[Job], begin: Callable[[Job], None]) -> Iterator[tuple[Job, Any]]:
        """Yield (job, result) as jobs end; ``begin`` is called before each is sent, and when it raises no more are.

        Raises:
            NasError: a job failed, or ended several actors.
        """
        waiting, flying, refusal = deque(jobs), dict[Any, tuple[Job, Any]](), None
        while flying or (waiting and refusal is None):
            while waiting and self._idle and refusal is None:
                try:
                    begin(waiting[0])
                except NasError as error:
                    refusal = error
                    break
                job, actor = waiting.popleft(), self._idle.popleft()
                flying[actor.run.remote(self._pack(job))] = (job, actor)
            if not flying and refusal is not None:
                break
            [reference], _ = self._ray.wait([*flying, *self._starting], num_returns=1)
            if reference in self._starting:
                self._started(reference)
                continue
            job, actor = flying.pop(reference)
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayActorError:
                self._lost(job, actor)
                waiting.appendleft(job)
                continue
            except self._ray.exceptions.RayTaskError as error:
                raise NasError(f"a job on Ray failed: {_last_line(error)}: mend that and start again") from None
            self._idle.append(actor)
            yield job, result
        if refusal is not None:
            raise refusal

    def close(self) -> None:
        """End the actors."""
        for actor in [*dict.fromkeys(self._idle), *self._starting.values()]:
            self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._make_actor()
        self._starting[actor.ready.remote()] = actor

    def _started(self, reference: Any) -> None:
        actor = self._starting.pop(reference)
        try:
            self._ray.get(reference)
        except self._ray.exceptions.RayActorError:
            # Its node went while it started.
            self._start()
            return
        except self._ray.exceptions.RayTaskError as error:
            raise NasError(f"a worker on Ray could not start: {_last_line(error)}") from None
        self._idle.extend([actor] * JOBS_IN_FLIGHT)

    def _lost(self, job: Job, actor: Any) -> None:
        self._losses[job] += 1
        if self._losses[job] > MAX_LOSSES:
            raise NasError(f"the job {job!r} ended {MAX_LOSSES + 1} workers on Ray: does it need too much memory?")
        while actor in self._idle:
            self._idle.remove(actor)
        # Once for each actor: its other jobs come here too.
        if actor not in self._gone:
            self._gone.append(actor)
            self._start()


def _last_line(error: Exception) -> str:
    """Return the last line of a traceback from elsewhere, which says what it was."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else repr(error)
