from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from experiments.ray_trials import run_on_ray
from search_spaces.errors import NasError, UsageError


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_jobs_are_done_on_ray_and_what_they_raise_is_raised_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from experiments.ray_cluster import connected

    lost = tmp_path / "lost"

    # Here, so that it travels as it is: Ray's processes can't import this file.
    def job(number: int) -> dict[str, Any]:
        if number == 3 and not lost.exists():
            lost.touch()
            os._exit(1)
        if number == 4:
            raise UsageError("4 is not allowed: give 1 to 3")
        if number == 5:
            raise ZeroDivisionError("five")
        return {"square": number**2, "where": os.getcwd()}

    monkeypatch.chdir(tmp_path)
    found: dict[int, dict[str, Any]] = {}

    def run(*numbers: int) -> None:
        run_on_ray(job, numbers, tmp_path, "local", lambda number, result: found.update({number: result}))

    with connected("local"):
        # The process of 3 is lost once: it begins again.
        run(1, 3)
        assert lost.exists()
        with pytest.raises(UsageError, match=r"^4 is not allowed: give 1 to 3$"):
            run(4, 2)
        with pytest.raises(NasError, match="a trial failed on Ray: ZeroDivisionError: five"):
            run(5)
    assert found == {number: {"square": number**2, "where": str(tmp_path)} for number in (1, 2, 3)}
