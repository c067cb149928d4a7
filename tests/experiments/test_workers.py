from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from experiments.workers import run_jobs
from search_spaces.errors import UsageError


def _square_and_threads(number: int) -> tuple[int, int, int]:
    import torch

    return number * number, torch.get_num_threads(), os.getpid()


def _fail(number: int) -> int:
    raise UsageError(f"job {number} can't be done")


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_on_one_thread(processes: int) -> None:
    found = dict(run_jobs(_square_and_threads, [1, 2, 3], processes))
    assert {job: square for job, (square, _, _) in found.items()} == {1: 1, 2: 4, 3: 9}
    assert {threads for _, threads, _ in found.values()} == {1}
    assert (os.getpid() in {place for _, _, place in found.values()}) is (processes == 1)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_a_job_comes_through(processes: int) -> None:
    with pytest.raises(UsageError, match=r"job \d can't be done"):
        list(run_jobs(_fail, [1, 2], processes))


def test_no_process_is_an_error() -> None:
    with pytest.raises(UsageError, match="processes got 0: give at least 1"):
        list(run_jobs(_fail, [1], 0))


@pytest.mark.slow
def test_the_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import time\nfrom experiments.workers import run_jobs\n"
        "def wait(_):\n    print('started', flush=True)\n    time.sleep(120)\n"
        "if __name__ == '__main__':\n    list(run_jobs(wait, [1, 2], 2))\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len(children) >= 2
        parent.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=30)
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
