"""Checks of a configuration that need the registries: every name, and the settings that belong to it. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ValidationError

from experiments.config_problems import at, first_problem
from experiments.study_space import make_study_space
from nas.data.source import SOURCES
from nas.search.algorithm import algorithms
from nas.training.plan import check_parts
from nas.training.samplers import Draw, samplers
from predictors.target import parse_target
from scaling.factors import check_factor
from scaling.rule import scaling_rule
from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import spaces

if TYPE_CHECKING:
    from experiments.config import LatencySettings, ScalingSettings, SearchSettings, StudyConfig
    from nas.training.settings import TrainingSettings


def check_config(config: StudyConfig) -> None:
    """Check what the types of the settings leave open, before anything runs.

    Raises:
        UsageError: a name is unknown (close ones are listed), a setting does not belong to what it is given to, or two
            settings contradict each other; the path of the key is shown.
    """
    with at("task"):
        task = config.task.make()
    with at("data.source"):
        SOURCES.get(config.data.source)
    task.check_augmentation(config.augmentation)
    space = _checked_space(config)
    _check_sampler(config.training, space)
    _check_losses(config.training, config.task.name)
    if config.training.masked_pretraining is not None:
        from nas.training.sparse import check_space

        with at("training.masked_pretraining"):
            check_space(space)
    targets = _checked_targets(config.latency)
    _check_objectives(config, task.metric.name, targets)
    if config.quantisation is not None and config.latency.measure:
        _check_integer_runtime(targets)
    _check_search(config.search)
    _check_scaling(config.scaling)


def _checked_space(config: StudyConfig) -> SearchSpace:
    """Return the space of the configuration for images of some channels and classes: the data is not read yet."""
    name = config.space.get("name")
    if not isinstance(name, str):
        raise UsageError(f"space.name got {name!r}: give one of {', '.join(spaces.names())}")
    with at("space.name"):
        kind = spaces.get(name)
    settings = {key: value for key, value in config.space.items() if key != "name"}
    _check_settings(kind.Settings, settings, ("space",))
    given = kind.Settings(**settings)
    with at("space" if config.task.name == "classification" else "task"):
        return make_study_space(config, given.in_channels, given.num_classes)


def _check_settings(model: type[BaseModel], settings: dict[str, object], where: Sequence[str]) -> None:
    try:
        model.model_validate(settings)
    except ValidationError as error:
        raise UsageError(first_problem(error, model, where)) from None


def _check_sampler(training: TrainingSettings, space: SearchSpace) -> None:
    with at("training.sampler"):
        kind = samplers.get(training.sampler)
    with at("training.sampler_settings"):
        sampler = kind(space, **training.sampler_settings)
    check_parts(training)
    with at("training"):
        sampler.draw(
            Draw(np.random.default_rng(0), training.networks_per_step, 0.0, lambda genes: np.zeros(len(genes)))
        )


def _check_losses(training: TrainingSettings, task: str) -> None:
    """Check losses that are not the default ones alone: they load torch."""
    given = training.model_fields_set
    if given & {"loss", "loss_settings"}:
        from nas.training.losses import check_task, make_loss

        with at("training.loss"):
            loss = make_loss(training.loss, training.label_smoothing, training.loss_settings)
            check_task(loss, repr(training.loss), task)
    if training.distillation is not None:
        from nas.training.distillation import distillations
        from nas.training.losses import check_task

        with at("training.distillation"):
            distillation = distillations.get(training.distillation)(**training.distillation_settings)
            check_task(distillation, repr(training.distillation), task)
    if training.distillation is not None or "teacher" in given:
        from nas.training.objective import check_teacher

        check_teacher(training)


def _checked_targets(latency: LatencySettings) -> list[str]:
    """Return the canonical names of the targets."""
    found: list[str] = []
    for index, text in enumerate(latency.targets):
        with at(f"latency.targets[{index}]"):
            name = parse_target(text).text
            if name in found:
                raise UsageError(f"target {text!r} is given twice: leave one out")
        found.append(name)
    return found


def _check_integer_runtime(targets: Sequence[str]) -> None:
    for index, name in enumerate(targets):
        found = parse_target(name)
        if found.device == "cpu" and found.runtime != "onnxruntime":
            raise UsageError(
                f"latency.targets[{index}] got {name!r}: {found.runtime} PyTorch can't run quantised networks: give "
                f"{name}:onnxruntime, or latency.measure = false"
            )


def _check_objectives(config: StudyConfig, metric: str, targets: Sequence[str]) -> None:
    found: list[str] = []
    for index, each in enumerate(config.objectives):
        with at(f"search.objectives[{index}]"):
            objective = each.objective()
            target = objective.target
            name = f"{objective.quantity}@{parse_target(target).text}" if target else each.name
            if target and parse_target(target).text not in targets:
                raise UsageError(f"{each.name!r}: its target is not in latency.targets: {', '.join(targets)}")
            if target and objective.quantity != "latency_ms" and not config.latency.measure:
                raise UsageError(
                    f"{each.name!r} is known by measuring alone, and latency.measure is false: set it, or give "
                    f"latency_ms@{target}"
                )
            if objective.is_metric and name != metric:
                raise UsageError(f"{name!r} is the metric of another task than {config.task.name!r}: give {metric!r}")
            if name in found:
                raise UsageError(f"objective {each.name!r} is given twice: keep one of them")
        found.append(name)
    if metric not in found:
        raise UsageError(f"search.objectives got {', '.join(found)}: {metric} is missing: add it")


def _check_search(search: SearchSettings) -> None:
    with at("search.algorithm"):
        kind = algorithms.get(search.algorithm)
    _check_settings(kind.Settings, search.settings, ("search", "settings"))
    for index, name in enumerate(search.compare):
        with at(f"search.compare[{index}]"):
            algorithms.get(name)


def _check_scaling(scaling: ScalingSettings) -> None:
    for index, name in enumerate(scaling.rules):
        with at(f"scaling.rules[{index}]"):
            scaling_rule(name)
    for index, factor in enumerate(scaling.factors):
        with at(f"scaling.factors[{index}]"):
            check_factor(factor)
