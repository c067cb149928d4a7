"""Jobs as trials of Ray Tune, several at once; each that ends is told before the next one is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from experiments.ray_cluster import connected, import_ray
from search_spaces import errors
from search_spaces.errors import NasError

MAX_LOST = 3
"""How often a job whose process died, with its machine or for want of memory, begins again."""
Job = TypeVar("Job")
Result = dict[str, Any]


def run_on_ray(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    folder: Path,
    address: str,
    finish: Callable[[Job, Result], None],
    on_gpu: bool = False,
) -> None:
    """Call ``function`` with every job on Ray, in the working folder of this process and on one core, or GPU, each.

    Args:
        function: returns plain data.
        jobs: picklable.
        folder: where Ray Tune writes its own files.
        address: ``local`` in this machine, or a cluster's.
        finish: told each result, in this process.
        on_gpu: whether a job takes a GPU.

    Raises:
        UsageError: no cluster answers at ``address``.
        NasError: what ``function`` raised first, told when all jobs have ended; or a job's process died too often.
    """
    # First: it sets what Ray Tune reads when it is loaded.
    import_ray()
    from ray import tune

    home = os.getcwd()
    failures: list[dict[str, str]] = []

    def train(settings: dict[str, Any]) -> None:
        import torch

        # Jobs share the machine: Ray gives each one core. Paths of settings are relative to where the command began.
        torch.set_num_threads(1)
        if os.path.isdir(home):
            os.chdir(home)
        try:
            found: dict[str, Any] = {"result": function(jobs[settings["number"]])}
        except Exception as error:
            # As data: what a job raises, Ray would try again.
            found = {"failure": {"kind": type(error).__name__, "message": str(error)}}
        tune.report(found)

    def end(number: int, found: dict[str, Any]) -> None:
        if "failure" in found:
            failures.append(found["failure"])
        else:
            finish(jobs[number], found["result"])

    with connected(address):
        tuner = tune.Tuner(
            tune.with_resources(train, {"cpu": 1, "gpu": int(on_gpu)}),
            param_space={"number": tune.grid_search(list(range(len(jobs))))},
            run_config=tune.RunConfig(
                name="ray",
                storage_path=str(folder.absolute()),
                callbacks=[_telling(end)],
                failure_config=tune.FailureConfig(max_failures=MAX_LOST),
                verbose=0,
            ),
        )
        results = tuner.fit()
    for failure in failures:
        raise _error(**failure)
    for error in results.errors:
        raise NasError(f"a trial failed on Ray: {' '.join(str(error).split())[-300:]}: mend that and start again")


def _telling(end: Callable[[int, dict[str, Any]], None]) -> Any:
    """Return a callback of Ray Tune that tells each trial as it ends; it runs where the tuner runs."""
    from ray.tune import Callback

    class Telling(Callback):  # type: ignore[misc]
        def __getstate__(self) -> dict[str, Any]:
            # Ray writes the whole tuner to its folder, for a way of going on that is not used: what ended is stored.
            return {}

        def on_trial_complete(self, *, trial: Any, **_: Any) -> None:
            end(trial.config["number"], trial.last_result)

    return Telling()


def _error(kind: str, message: str) -> NasError:
    """Return an error of a job as it would have been raised here."""
    known = vars(errors).get(kind)
    return known(message) if known else NasError(f"a trial failed on Ray: {kind}: {message}: mend that and start again")
