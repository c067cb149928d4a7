"""The trials of a comparison, each run at most once: what is in the journal is read from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.comparison.trials import Trial, run_trial
from experiments.journal import Journal
from experiments.talk import Talk
from experiments.workers import run_jobs

JOURNAL = "trials.jsonl"


def run_trials(
    trials: Sequence[Trial], folder: Path, talk: Talk, processes: int = 1, ray: str | None = None
) -> list[dict[str, Any]]:
    """Return the results of ``trials``, in their order.

    Args:
        trials: distinct ones.
        folder: of the journal. A trial is stored when it ends, so one that was killed begins again.
        talk: told each result.
        processes: trials at a time, each on one thread.
        ray: instead, as trials of Ray Tune: ``local`` in this machine or a cluster's address.

    Raises:
        UsageError: no cluster answers, or Ray is not installed.
        NasError: as training raises.
    """
    journal = Journal(folder / JOURNAL)
    missing = [trial for trial in trials if journal.get(trial.key) is None]
    if len(missing) < len(trials):
        talk.say(f"{len(trials) - len(missing)} of {len(trials)} trials are in {journal.path}")

    def finish(trial: Trial, result: dict[str, Any]) -> None:
        journal.add(trial.key, result)
        accuracy, seconds = result["test_accuracy"], result["training_cpu_s"]
        talk.say(f"a trial of {len(missing)}, seed {trial.seed}: test {accuracy:.2f} %, {seconds:.0f} s")

    if ray is None:
        for trial, result in run_jobs(run_trial, missing, processes):
            finish(trial, result)
    elif missing:
        from experiments.context import choose_device
        from experiments.ray_trials import run_on_ray

        on_gpu = choose_device(missing[0].device).type == "cuda"
        run_on_ray(run_trial, missing, folder, ray, finish, on_gpu)
    return [row for trial in trials if (row := journal.get(trial.key)) is not None]
