"""``nas tune``: settings of the training chosen by short trainings, by Optuna, here or on Ray Tune.

Every finished trial is a committed row of the study ``NAME tuning`` in the project's database. Optuna holds nothing: a
sampler is made anew from the rows before every trial, so that tuning that was killed goes on as if it had not been.
(Optuna's own database would bring a second table ``studies`` and a second ``alembic_version``.)
Trials that fall behind are stopped early by asynchronous successive halving (Li et al. 2020, arXiv 1810.05934).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.config import StudyConfig
from experiments.talk import Talk
from experiments.tuning_ranges import Ranges, with_values
from experiments.tuning_trial import run_trial
from nas.stored_settings import completed
from nas.tasks import Metric
from search_spaces.errors import UsageError, missing_extra

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

    from experiments.store.store import Store, Study

REDUCTION_FACTOR = 3
"""Of successive halving: of the trials that reach reports 1 and 3, the best third goes on."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class TuningPlan:
    """What is tuned.

    Attributes:
        config: of the study.
        trials: finished trials to end with, those of earlier calls included.
        epochs: of each trial.
        ranges: what is varied.
        ray: None runs the trials here, one after another; ``local`` on Ray in this machine; else a cluster's address.
    """

    config: StudyConfig
    trials: int
    epochs: int
    ranges: Ranges
    ray: str | None = None

    @property
    def name(self) -> str:
        """The name of the study of the trials."""
        return f"{self.config.name} tuning"

    @property
    def metric(self) -> Metric:
        """What trials are judged by."""
        return self.config.task.make().metric

    @property
    def settings(self) -> dict[str, Any]:
        """What must stay the same when tuning goes on."""
        ranges = {key: values.to_json() for key, values in self.ranges.items()}
        return {"config": self.config.model_dump(mode="json"), "epochs": self.epochs, "ranges": ranges}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return what is varied, as Optuna's."""
        return {key: values.distribution() for key, values in self.ranges.items()}

    def trial_config(self, values: Mapping[str, Any]) -> StudyConfig:
        """Return the configuration of a trial."""
        return with_values(self.config, {**values, "training.epochs": self.epochs})


def tune(plan: TuningPlan, store: Store, out: Path, talk: Talk) -> dict[str, Any]:
    """Run trials until ``plan.trials`` are finished, and return the best values and every trial, plain data.

    Raises:
        UsageError: fewer than one trial or epoch, or Optuna or Ray is not installed.
        ConflictError: the study of the trials has other settings, or another runner has it.
        NasError: as training raises, but for divergence: such a trial scores 0.
    """
    if min(plan.trials, plan.epochs) < 1:
        raise UsageError(f"trials is {plan.trials} and epochs {plan.epochs}: give at least 1 of each")
    require_installed("optuna", *(("ray",) if plan.ray is not None else ()))
    study = store.study(plan.name, plan.settings, seed=plan.config.seed, complete=_complete)
    folder = out / plan.config.name / "tuning"
    with study.held("nas tune"):
        if plan.ray is None:
            _tune_here(plan, study, folder, talk)
        else:
            from experiments.ray_cluster import import_ray

            # First: it sets what Ray Tune reads when it is loaded.
            import_ray()
            from experiments.tuning_ray import tune_on_ray

            tune_on_ray(plan, study, folder, talk)
        return _findings(plan, list(study.done("trial").values()))


def _complete(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of a plan as this version would have stored them."""
    return {**stored, "config": completed(stored.get("config", {}), StudyConfig)}


def require_installed(*packages: str) -> None:
    """Raise UsageError with the install line unless Optuna, Ray, ... can be imported."""
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise missing_extra(package, "tune")


def trial_key(number: int) -> str:
    """Return the key of a trial's row."""
    return f"trial {number:05d}"


def _tune_here(plan: TuningPlan, study: Study, folder: Path, talk: Talk) -> None:
    for number in range(len(study.done("trial")), plan.trials):
        rows = list(study.done("trial").values())
        trial = optuna_study(plan, rows, number).ask(plan.distributions())

        def report(step: int, score: float, trial: Any = trial) -> bool:
            trial.report(score, step)
            return bool(trial.should_prune())

        study.begin("trial", trial_key(number))
        place = folder / f"trial-{number:05d}"
        found = {"values": dict(trial.params), **run_trial(plan.trial_config(trial.params), place, report)}
        finish_trial(study, plan.metric, number, found, talk)
        shutil.rmtree(place, ignore_errors=True)


def finish_trial(study: Study, metric: Metric, number: int, found: dict[str, Any], talk: Talk) -> None:
    """Commit a trial's row and say its result."""
    study.finish("trial", trial_key(number), found)
    values = ", ".join(f"{key} {_shown(value)}" for key, value in found["values"].items())
    scores = found["scores"]
    score = f"{metric.text(metric.rank(scores[-1]))} after {len(scores)} reports" if scores else "no score"
    talk.say(f"{trial_key(number)}: {values}: {found['state']}, {score}")


def optuna_study(plan: TuningPlan, rows: Sequence[Row], number: int) -> optuna.Study:
    """Return an Optuna study that holds the finished trials; its draws are a function of them, the seed and number."""
    import numpy as np
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION_FACTOR)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for row in rows:
        # As it went the first time: the pruner compares with what trials had reported at the same point.
        study.enqueue_trial(row["values"])
        trial = study.ask(plan.distributions())
        for step, score in enumerate(row["scores"], start=1):
            trial.report(score, step)
            trial.should_prune()
        if row["state"] == "stopped":
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, row["scores"][-1])
    seed = int(np.random.SeedSequence([plan.config.seed, number]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    return study


def _findings(plan: TuningPlan, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the best trial that ran to its end, the options that set its values, and all trials, the best first."""
    complete = [row for row in rows if row["state"] == "complete"]
    best = max(complete, key=lambda row: row["scores"][-1]) if complete else None
    ordered = sorted(rows, key=lambda row: (row["state"] == "complete", row["scores"][-1]), reverse=True)
    return {
        "study": plan.name,
        "trials": len(rows),
        "epochs": plan.epochs,
        "score": _meaning(plan.metric),
        "best": None if best is None else {"values": best["values"], "score": round(best["scores"][-1], 2)},
        "options": "" if best is None else " ".join(f"--set {key}={_shown(v)}" for key, v in best["values"].items()),
        "all": [
            {
                "state": row["state"],
                "reports": len(row["scores"]),
                "score": round(row["scores"][-1], 2),
                **row["values"],
            }
            for row in ordered
        ],
    }


def _meaning(metric: Metric) -> str:
    unit = "percent" if metric.unit == "%" else metric.unit
    sign = ", negative" if metric.direction == "min" else ""
    return f"mean validation {metric.title} of the smallest, middle and largest network, {unit}{sign}"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
