"""From a target that is present to a latency model: choose networks, measure them, fit, and check on others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.calibrated import Calibrated
from experiments.measuring import time_in_turn
from experiments.subjects import network_subject
from predictors.rounds import Rounds
from predictors.runtime import pinned_threads, software_versions
from predictors.target import Target
from predictors.validation import Validation
from search_spaces.errors import UsageError
from search_spaces.space import Genes, SearchSpace

if TYPE_CHECKING:
    from predictors.choosing import Predictor

MIN_BUDGET = 5
# What two measuring runs of one network differ by on a quiet machine; more is told.
NOTICEABLE_SPREAD = 0.1


def calibrate(
    space: SearchSpace,
    where: Target,
    budget: int = 20,
    num_held_out: int = 10,
    seed: int = 0,
    num_threads: int | None = None,
    sampler: str = "best",
    say: Callable[[str], None] | None = None,
) -> Calibrated:
    """Return the latency model of ``space`` on ``where``.

    Args:
        space: any search space.
        where: a target that is present.
        budget: networks that are measured and fitted.
        num_held_out: further random networks that are measured to check the model alone.
        seed: of the choice and of the order of measuring.
        num_threads: of a CPU; by default torch's.
        sampler: how the networks to fit are chosen: one of ``predictors.sampling.SAMPLERS``.
        say: is told what happens, if given.

    Raises:
        UsageError: too small a budget, a target that is not present, or a space with fewer networks than asked.
    """
    from experiments.latency_choice import chosen_model, population_of, prior_of
    from experiments.stages.latency import TargetLatency
    from predictors.sampling import choose, resolved

    if budget < MIN_BUDGET or num_held_out < 0:
        raise UsageError(f"budget is {budget} and held out {num_held_out}: give at least {MIN_BUDGET} and 0")
    population, analytic = population_of(space, seed), TargetLatency(space, where)
    if len(population) < budget + num_held_out:
        raise UsageError(
            f"space {space.name} has {len(population):,} networks to draw from: too few for {budget} measured and "
            f"{num_held_out} held out: lower --budget or --held-out"
        )
    prior = prior_of(analytic, population)
    rows = choose(sampler, prior, prior.encoding(analytic.inputs(population)), budget, seed)
    others = np.setdiff1d(np.arange(len(population)), rows)
    held_out = np.random.default_rng([seed, 4]).choice(others, num_held_out, replace=False)
    genes = population[np.concatenate([rows, held_out])]
    if say is not None:
        say(f"measuring {budget} networks of {space.name} on {where.name}, and {num_held_out} to check the model")
    with pinned_threads(num_threads):
        timed = _measure(space, where, genes, seed, num_threads)
        versions = {**software_versions(where.device.kind), "runtime": where.runtime, "layout": where.layout}
    measured_ms, checked_ms = np.split(timed.latency_ms, [budget])
    choice = chosen_model(analytic, prior, genes[:budget], measured_ms)
    checks = {"model": choice.reason, **_checks(choice.model, analytic.inputs(genes[budget:]), checked_ms)}
    checks |= {"sampler": resolved(sampler, budget), "doubts": _doubts(timed), "versions": versions}
    networks = tuple(architecture.to_json() for architecture in space.decode(genes[:budget]))
    return Calibrated(where, (space.name, space.settings_json), networks, measured_ms, choice.model, checks)


def _measure(space: SearchSpace, where: Target, genes: Genes, seed: int, num_threads: int | None) -> Rounds:
    subjects = (network_subject(each.key, space.blueprint(each)) for each in space.decode(genes))
    return time_in_turn(subjects, where, seed=seed, num_threads=num_threads)


def _checks(model: Predictor, inputs: dict[str, NDArray[Any]], checked_ms: NDArray[np.float64]) -> dict[str, Any]:
    checks: dict[str, Any] = {"leave_one_out": errors(model.leave_one_out())}
    if len(checked_ms) > 1:
        checks["held_out"] = errors(Validation(checked_ms, *model.predict_inputs(inputs)))
    return checks


def errors(check: Validation) -> dict[str, float | int]:
    """Return how well predictions meet measurements, rounded for a person."""
    relative: NDArray[np.float64] = np.abs(check.errors / check.actual)
    return {
        "networks": len(check.actual),
        "kendall_tau": round(check.kendall_tau, 3),
        "spearman": round(check.spearman, 3),
        "median_error_percent": round(100 * check.median_relative_error, 2),
        "share_within_10_percent": round(float(np.mean(relative <= 0.1)), 3),
        "coverage_90": round(check.coverage_90, 3),
    }


def _doubts(timed: Rounds) -> list[str]:
    spread = float(np.median(timed.spread_ms / timed.latency_ms))
    unsteady = f"the fastest runs of a visit differ by {spread:.0%}" if spread > NOTICEABLE_SPREAD else ""
    return [doubt for doubt in (timed.other_work, unsteady) if doubt]
