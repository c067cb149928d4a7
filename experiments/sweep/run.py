"""A sweep from its plan to its table; the same call goes on after a kill, study by study."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config import StudyConfig, make_config
from experiments.context import choose_device, make_folder
from experiments.run import run_study
from experiments.runner import POLL_S, runner_name
from experiments.store.states import HELD
from experiments.store.store import Store
from experiments.sweep.findings import is_finished, sweep_findings
from experiments.sweep.plan import SweepPlan
from experiments.talk import Talk
from experiments.workers import run_jobs
from nas.stored_settings import completed
from predictors.target import is_present, target
from search_spaces.errors import NasError, StorageError


@dataclass(frozen=True)
class StudyJob:
    """A study to run in this process or another one.

    Attributes:
        settings: of the study, plain data.
        storage: URL or SQLite file of the database, which exists.
        out: the folder of all studies.
        talk: what a person is told meanwhile.
    """

    settings: Mapping[str, Any]
    storage: str
    out: Path
    talk: Talk

    @property
    def name(self) -> str:
        """The name of the study."""
        return str(self.settings["name"])


def sweep(plan: SweepPlan, storage: str, out: Path, talk: Talk, ray: str | None = None) -> dict[str, Any]:
    """Run the studies that are not finished, and return the findings over all, plain data.

    Args:
        plan: the studies.
        storage: URL or SQLite file of the database, which exists.
        out: the folder of all studies.
        talk: what a person is told.
        ray: None runs the studies here, one after another; ``local`` on Ray in this machine; else a cluster's address.
            Either way each computes on one thread, so that the results are the same.

    Raises:
        ConflictError: a study of one of the names has other settings; nothing has run.
        StorageError: the database or a folder failed.
        UsageError: no cluster answers.
    """
    with Store.open(storage) as store:
        for each in plan.combinations:
            _require_own_name(each.config, store)
        names = [each.config.name for each in plan.combinations if not is_finished(store, out, each.config.name)]
    if len(names) < len(plan.combinations):
        talk.say(f"{len(plan.combinations) - len(names)} of {len(plan.combinations)} studies are finished")
    configs = [each.config for each in plan.combinations if each.config.name in names]
    problems = _run(configs, storage, out, talk, ray, make_folder(out / plan.base / "sweep")) if configs else {}
    with Store.open(storage, readonly=True) as store:
        return sweep_findings(plan, store, out, problems)


def _require_own_name(config: StudyConfig, store: Store) -> None:
    """Raise ConflictError where the study is there with other settings; one that is not there is not made."""
    if store.studies(name=config.name):
        settings = config.model_dump(mode="json")
        store.study(config.name, settings, seed=config.seed, complete=lambda stored: completed(stored, StudyConfig))


def _run(
    configs: Sequence[StudyConfig], storage: str, out: Path, talk: Talk, ray: str | None, folder: Path
) -> dict[str, str]:
    """Run the studies and return, by name, why those that did not finish did not."""
    told = talk if ray is None else Talk(quiet=True)
    jobs = [StudyJob(config.model_dump(mode="json"), storage, out, told) for config in configs]
    problems: dict[str, str] = {}
    num_ended = 0

    def finish(job: StudyJob, found: Mapping[str, Any]) -> None:
        nonlocal num_ended
        num_ended += 1
        if found["problem"]:
            problems[job.name] = found["problem"]
            talk.warn(f"study {job.name!r} did not finish: {found['problem']}")
        talk.say(f"study {job.name} ended, {num_ended} of {len(jobs)}")

    if ray is None:
        for job, found in run_jobs(run_one, jobs):
            finish(job, found)
        return problems
    from experiments.ray_trials import run_on_ray

    _warn_of_timing(configs, talk)
    on_gpu = any(choose_device(config.device).type == "cuda" for config in configs)
    run_on_ray(run_one, jobs, folder, ray, finish, on_gpu)
    return problems


def run_one(job: StudyJob) -> dict[str, str]:
    """Run, or go on with, one study, and return what became of it; one that another runner holds is waited for.

    Raises:
        StorageError: the database or a folder failed: no study could go on.
    """
    problem = ""
    with Store.open(job.storage) as store:
        if _is_held(store, job.name):
            job.talk.say(f"study {job.name} is held by another runner: waiting until it is free")
        while _is_held(store, job.name):
            time.sleep(POLL_S)
        try:
            # Made here: in another process it loads the plugins that the settings name.
            config = make_config(job.settings, f"study {job.name!r}")
            run_study(config, store, job.out, job.talk, runner=runner_name())
        except StorageError:
            raise
        except NasError as error:
            problem = str(error)
        except Exception as error:
            problem = f"a defect: {error!r}"
    return {"problem": problem}


def _is_held(store: Store, name: str) -> bool:
    return any(study.state in HELD for study in store.studies(name=name))


def _warn_of_timing(configs: Sequence[StudyConfig], talk: Talk) -> None:
    timed = {name for config in configs if config.latency.measure for name in config.latency.targets}
    present = sorted(name for name in timed if is_present(target(name)))
    if present:
        talk.warn(
            f"studies that run at once disturb each other's timing on {', '.join(present)}: measure it once with nas "
            "calibrate and give the model as latency.models, or leave --ray out"
        )
