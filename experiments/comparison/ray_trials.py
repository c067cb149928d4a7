"""Trials of a comparison on Ray Tune, several at once; each that ends is in the journal before the next is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import Callback

from experiments.comparison.trials import Trial, run_trial
from experiments.context import choose_device
from experiments.ray_cluster import connected
from search_spaces.errors import NasError

Finish = Callable[[Trial, dict[str, Any]], None]


def run_on_ray(trials: Sequence[Trial], folder: Path, address: str, finish: Finish) -> None:
    """Run ``trials`` on Ray, one core each; ``finish`` is told each result, in this process.

    Raises:
        UsageError: no cluster answers at ``address``.
        NasError: a trial failed.
    """

    def train(settings: dict[str, Any]) -> None:
        import torch

        # Trials share the machine: Ray gives each one core.
        torch.set_num_threads(1)
        tune.report(run_trial(trials[settings["number"]]))

    on_gpu = choose_device(trials[0].device).type == "cuda"
    with connected(address):
        tuner = tune.Tuner(
            tune.with_resources(train, {"cpu": 1, "gpu": 1 if on_gpu else 0}),
            param_space={"number": tune.grid_search(list(range(len(trials))))},
            run_config=tune.RunConfig(
                name="ray", storage_path=str(folder.absolute()), callbacks=[_Told(trials, finish)], verbose=0
            ),
        )
        results = tuner.fit()
    for error in results.errors:
        raise NasError(f"a trial failed on Ray: {' '.join(str(error).split())[-300:]}: mend that and start again")


class _Told(Callback):  # type: ignore[misc]
    """Tells each trial of Ray as it ends; runs where the tuner runs."""

    def __init__(self, trials: Sequence[Trial], finish: Finish) -> None:
        self._trials, self._finish = trials, finish

    def __getstate__(self) -> dict[str, Any]:
        # Ray writes the whole tuner to its folder, for a way of going on that is not used: the journal is it.
        return {}

    def on_trial_complete(self, *, trial: Any, **_: Any) -> None:
        """Hand the trial's numbers over."""
        names = ("validation_accuracy", "test_accuracy", "training_cpu_s", "training_s")
        self._finish(self._trials[trial.config["number"]], {name: trial.last_result[name] for name in names})
