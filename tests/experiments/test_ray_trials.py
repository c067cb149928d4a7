from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from experiments.ray_trials import run_on_ray
from search_spaces.errors import NasError, UsageError


def job(given: tuple[int, str]) -> dict[str, Any]:
    """Square a number; 3 loses its process the first time, 4 and 5 can't be done."""
    number, folder = given
    if number == 3 and not (Path(folder) / "lost").exists():
        (Path(folder) / "lost").touch()
        os._exit(1)
    if number == 4:
        raise UsageError("4 is not allowed: give 1 to 3")
    if number == 5:
        raise ZeroDivisionError("five")
    return {"square": number**2, "where": os.getcwd()}


@pytest.mark.slow
def test_jobs_are_done_on_ray_and_what_they_raise_is_raised_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from experiments.ray_cluster import connected

    monkeypatch.chdir(tmp_path)
    found: dict[int, dict[str, Any]] = {}

    def run(*numbers: int) -> None:
        jobs = [(number, str(tmp_path)) for number in numbers]
        run_on_ray(job, jobs, tmp_path, "local", lambda each, result: found.update({each[0]: result}))

    with connected("local"):
        run(1, 3)
        assert (tmp_path / "lost").exists()
        with pytest.raises(UsageError, match=r"^4 is not allowed: give 1 to 3$"):
            run(4, 2)
        with pytest.raises(NasError, match="a trial failed on Ray: ZeroDivisionError: five"):
            run(5)
    assert found == {number: {"square": number**2, "where": str(tmp_path)} for number in (1, 2, 3)}
