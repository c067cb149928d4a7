"""Trials of ``nas tune`` on Ray Tune, several at once; each that ends is a committed row before the next one is asked.

Loaded late: Ray Tune takes seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import Callback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from experiments.ray_cluster import LOCAL, connected
from experiments.store.store import Study
from experiments.talk import Talk
from experiments.tuning import REDUCTION_FACTOR, TuningPlan, finish_trial, optuna_study, trial_key
from experiments.tuning_trial import NUM_REPORTS, run_trial
from nas.tasks import Metric
from search_spaces.errors import NasError


def tune_on_ray(plan: TuningPlan, study: Study, folder: Path, talk: Talk) -> None:
    """Run the trials that are left on Ray.

    Raises:
        UsageError: no cluster answers at the plan's address.
        NasError: a trial failed for another reason than divergence.
    """
    rows = list(study.done("trial").values())
    left = plan.trials - len(rows)
    if left < 1:
        return
    with connected(plan.ray or LOCAL):
        committing = _Rows(study, plan.metric, len(rows), talk)
        tuner = tune.Tuner(
            tune.with_resources(_trainable(plan, folder), _resources(plan)),
            tune_config=tune.TuneConfig(
                search_alg=_search(plan, rows),
                scheduler=ASHAScheduler(
                    time_attr="report",
                    metric="score",
                    mode="max",
                    max_t=NUM_REPORTS,
                    grace_period=1,
                    reduction_factor=REDUCTION_FACTOR,
                ),
                num_samples=left,
            ),
            run_config=tune.RunConfig(
                name="ray", storage_path=str(folder.absolute()), callbacks=[committing], verbose=0
            ),
        )
        results = tuner.fit()
    for error in results.errors:
        raise NasError(f"a trial failed on Ray: {' '.join(str(error).split())[-300:]}: mend that and start again")


def _trainable(plan: TuningPlan, folder: Path) -> Any:
    """Return the function that Ray runs for a trial."""
    place = folder.absolute()

    def train(values: dict[str, Any]) -> None:
        import torch

        # Trials share the machine: Ray gives each one core.
        torch.set_num_threads(1)

        def report(number: int, score: float) -> bool:
            tune.report({"report": number, "score": score})
            return False

        found = run_trial(plan.trial_config(values), place / tune.get_context().get_trial_id(), report)
        tune.report({"report": NUM_REPORTS + 1, "score": found["scores"][-1], "state": found["state"]})

    return train


def _resources(plan: TuningPlan) -> dict[str, float]:
    from experiments.context import choose_device

    return {"cpu": 1, "gpu": 1 if choose_device(plan.config.device).type == "cuda" else 0}


def _search(plan: TuningPlan, rows: list[Any]) -> OptunaSearch:
    """Return Optuna's search, told what the finished trials scored."""
    return OptunaSearch(
        plan.distributions(),
        metric="score",
        mode="max",
        sampler=optuna_study(plan, rows, len(rows)).sampler,
        points_to_evaluate=[dict(row["values"]) for row in rows] or None,
        evaluated_rewards=[row["scores"][-1] for row in rows] or None,
    )


class _Rows(Callback):  # type: ignore[misc]
    """Commits each trial of Ray as it ends; runs where the tuner runs."""

    def __init__(self, study: Study, metric: Metric, num_done: int, talk: Talk) -> None:
        self._study, self._metric, self._talk, self._next = study, metric, talk, num_done
        self._scores: dict[str, list[float]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Ray writes the whole tuner to its folder, for a way of going on that is not used: the rows are it.
        return {}

    def on_trial_result(self, *, trial: Any, result: dict[str, Any], **_: Any) -> None:
        """Note a score."""
        if result["report"] <= NUM_REPORTS:
            self._scores.setdefault(trial.trial_id, []).append(result["score"])

    def on_trial_complete(self, *, trial: Any, **_: Any) -> None:
        """Commit the trial's row."""
        number, self._next = self._next, self._next + 1
        scores = self._scores.pop(trial.trial_id)
        # Ray stops a trial at its last report before it can say more.
        state = "complete" if len(scores) == NUM_REPORTS else trial.last_result.get("state", "stopped")
        self._study.begin("trial", trial_key(number))
        found = {"values": dict(trial.config), "state": state, "scores": scores}
        finish_trial(self._study, self._metric, number, found, self._talk)
