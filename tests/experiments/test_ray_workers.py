"""The pool's own logic against a Ray that is made of plain objects; the real one is in test_ray_evaluating.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from experiments.ray_workers import MAX_LOSSES, RayWorkers
from search_spaces.errors import NasError


class Lost(Exception):
    pass


class Failed(Exception):
    pass


class FakeRay:
    """Runs a call when it is waited for, the oldest first."""

    class exceptions:
        RayActorError = Lost
        RayTaskError = Failed

    def __init__(self) -> None:
        self.killed: list[Any] = []

    def wait(self, references: Sequence[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        assert num_returns == 1
        return [references[0]], list(references[1:])

    def get(self, reference: Any) -> Any:
        return reference()

    def kill(self, actor: Any) -> None:
        self.killed.append(actor)


class Remote:
    def __init__(self, function: Any) -> None:
        self.function = function

    def remote(self, *arguments: Any) -> Any:
        return lambda: self.function(*arguments)


class Actor:
    """Doubles a number; it is lost for good with its ``dies_after``-th job."""

    def __init__(self, dies_after: int = 10**9) -> None:
        self.left = dies_after
        self.ready = Remote(lambda: True)
        self.run = Remote(self._run)

    def _run(self, job: int) -> int:
        self.left -= 1
        if self.left <= 0:
            raise Lost
        if job < 0:
            raise Failed("Traceback ...\nValueError: a negative job\n")
        return 2 * job


def pool(actors: Sequence[Actor], num: int = 2) -> tuple[FakeRay, RayWorkers[int]]:
    ray, more = FakeRay(), iter(actors)
    return ray, RayWorkers(ray, lambda: next(more, None) or Actor(), num, lambda job: job)


def test_every_job_is_done_once_and_begun_before() -> None:
    begun: list[int] = []
    _, workers = pool([])
    assert dict(workers.run(range(20), begun.append)) == {job: 2 * job for job in range(20)}
    assert begun == list(range(20))
    assert dict(workers.run([7], begun.append)) == {7: 14}


def test_jobs_of_lost_actors_are_begun_again_elsewhere() -> None:
    begun: list[int] = []
    _, workers = pool([Actor(3), Actor(5)])
    found = list(workers.run(range(20), begun.append))
    assert sorted(found) == [(job, 2 * job) for job in range(20)]
    assert len(begun) > 20
    assert set(begun) == set(range(20))


def test_a_job_that_ends_every_actor_is_named() -> None:
    _, workers = pool([Actor(1) for _ in range(50)], num=1)
    with pytest.raises(NasError, match=f"ended {MAX_LOSSES + 1} workers on Ray"):
        list(workers.run([5], lambda _: None))


def test_a_job_that_fails_is_one_line() -> None:
    _, workers = pool([])
    with pytest.raises(NasError, match="a job on Ray failed: ValueError: a negative job: mend that"):
        list(workers.run([1, -1, 2], lambda _: None))


def test_when_no_more_may_begin_those_under_way_are_finished() -> None:
    def begin(job: int) -> None:
        if job == 6:
            raise NasError("paused")

    done: list[int] = []
    _, workers = pool([])
    with pytest.raises(NasError, match="paused"):
        done.extend(job for job, _ in workers.run(range(20), begin))
    assert sorted(done) == list(range(6))


def test_closing_ends_the_actors() -> None:
    ray, workers = pool([])
    list(workers.run(range(4), lambda _: None))
    workers.close()
    assert len(ray.killed) == 2
