"""A study of a few seconds to vary, and one that is invented and takes no time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tiny_study import SMALLEST

from experiments.config import StudyConfig
from experiments.report.data import (
    Candidate,
    ChosenNetwork,
    Front,
    NamedQuantity,
    Quantity,
    ReportData,
    SpaceInfo,
    StudyInfo,
)
from experiments.store.store import Store, Study
from experiments.sweep.plan import SweepPlan, read_sweep
from nas.search.search import distinct
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.errors import NasError
from search_spaces.spaces import space as make_space

CONFIG = f"""{SMALLEST}epochs = 2
checkpoint_every = 3

[latency]
targets = ["h100:bf16:b32"]
measure = false

[search]
evaluations = 8
settings = {{ num_initial = 4, num_offspring = 2 }}
compare = []

[scaling]
rules = ["d"]
factors = [2.0]

[finetuning]
epochs = 0
"""
COSTS: dict[str, int] = {"macs": 1, "params": 1, "activations": 1, "peak_memory_bytes": 1}
NUM_NETWORKS = 4


def write_config(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def tiny_plan(folder: Path, *texts: str, overrides: Sequence[str] = ()) -> SweepPlan:
    """Return a plan over ``KEY=VALUES``."""
    return read_sweep(write_config(folder), texts, overrides)


def accuracy(config: StudyConfig, number: int) -> float:
    """Return an invented accuracy: five points better with the sampler ``sorted``, one with each seed and network."""
    return 60.0 + 5.0 * (config.training.sampler == "sorted") + config.seed + number


def invented_study(config: StudyConfig, store: Store, out: Path, talk: Any, runner: str) -> None:
    """Stand in for ``run_study``: each network is a point better and a millisecond slower than the last.

    A learning rate of 9 diverges. The last network, by far the best, is of an algorithm that is only compared with.
    """
    study = store.study(config.name, config.model_dump(mode="json"), seed=config.seed)
    with study.held(runner):
        if config.training.learning_rate == 9.0:
            raise NasError("the training diverged at step 1: lower the learning rate")
        family = make_space(**config.space, in_channels=1, num_classes=10)
        members = family.decode(distinct(family.sample(np.random.default_rng(0), 50)))[: NUM_NETWORKS + 1]
        for number, member in enumerate(members):
            _evaluate(study, config, member, number)
        target = config.latency.targets[0]
        candidates = tuple(
            Candidate(
                key=member.key,
                label=f"N{number}",
                accuracy=Quantity(value=accuracy(config, number), unit="%", obtained="measured"),
                latency_ms=Quantity(value=1.0 + number, unit="ms", obtained="analytic"),
                on_front=True,
                **COSTS,
            )
            for number, member in enumerate(members[:NUM_NETWORKS])
        )
        tested = [("test_accuracy", 50.0), ("test_accuracy_fine_tuned", 50.0 + config.seed)]
        best = ChosenNetwork(
            key=candidates[-1].key,
            label=candidates[-1].label,
            reason="",
            knobs={},
            blueprint=family.blueprint(members[NUM_NETWORKS - 1]).to_dict(),
            costs=COSTS,
            quantities=[
                NamedQuantity(name=name, quantity=Quantity(value=value, unit="%", obtained="measured"))
                for name, value in tested
            ],
        )
        info = StudyInfo(name=config.name, created="", seed=config.seed, space=SpaceInfo(name=family.name, size="9"))
        front = Front(target=target, recipe="", candidates=candidates)
        folder = out / config.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(ReportData(study=info, fronts=(front,), networks=(best,)).to_json())
        study.add_artifact("report.json", folder / "report.json", root=folder)


def _evaluate(study: Study, config: StudyConfig, member: Architecture, number: int) -> None:
    value = accuracy(config, number) if number < NUM_NETWORKS else 99.0
    found = [
        Measurement("validation_accuracy", value, "%", "measured"),
        *(
            Measurement("latency_ms", 1.0 + number, "ms", "analytic", target=target)
            for target in config.latency.targets
        ),
    ]
    study.begin("evaluation", member.key)
    study.finish("evaluation", member.key, {"accuracy": value}, found, member)
