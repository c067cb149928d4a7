"""Stage 1: latency of the whole space on every target: timed and fitted where it is present, analytic elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.calibrated import find_calibrated
from experiments.context import Context
from experiments.latency_choice import chosen_model, population_of, prior_of
from experiments.stages.timed import measure
from predictors.choosing import Predictor
from predictors.chunks import chunks
from predictors.features import latency_features, precision_terms, structural_terms
from predictors.latency import LatencyPrior
from predictors.measurement import Measurement, Obtained
from predictors.roofline import combine_terms, roofline_terms
from predictors.target import Device, Target, is_present, parse_target, target
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.population import PopulationTable
from search_spaces.quantised import QuantisedSpace
from search_spaces.space import Genes, SearchSpace

CHUNK_ROWS = 4096
"""Networks that are predicted at a time."""


@dataclass(frozen=True)
class TargetLatency:
    """The latency of every network of a space on one target.

    Attributes:
        target: the target.
        model: fitted on ``genes`` and ``measured_ms``, or None where the latency is analytic.
        reason: which model it is, and why that one.
        further: the same of other quantities, as ``latency_p95_ms`` and ``energy_mj``, that were measured with it;
            theirs are in their own units, wherever ``ms`` is written.
    """

    space: SearchSpace
    target: Target
    model: Predictor | None = None
    genes: Genes = field(default_factory=lambda: np.empty((0, 0), dtype=np.int16))
    measured_ms: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    reason: str = ""
    further: Mapping[str, TargetLatency] = field(default_factory=dict)

    def __post_init__(self) -> None:
        roofline = PopulationTable(self.space, lambda layers: roofline_terms(layers, self.target), np.float64)
        quantised = isinstance(self.space, QuantisedSpace)
        structure = PopulationTable(self.space, _quantised_terms if quantised else structural_terms, np.float64)
        object.__setattr__(self, "_roofline", roofline)
        object.__setattr__(self, "_structure", structure)

    _roofline: PopulationTable = field(init=False, repr=False)
    _structure: PopulationTable = field(init=False, repr=False)

    @property
    def obtained(self) -> Obtained:
        """How ``predict`` obtains its values."""
        return "predicted" if self.model else "analytic"

    def changed(self, **values: Any) -> TargetLatency:
        """Return a copy with other values of its attributes; the tables, seconds of work in some spaces, are shared."""
        found = copy(self)
        for name, value in values.items():
            object.__setattr__(found, name, value)
        return found

    def of(self, quantity: str) -> TargetLatency:
        """Return the model of a quantity: itself of ``latency_ms``, else one of ``further``."""
        return self if quantity == "latency_ms" else self.further[quantity]

    def features(self, genes: Genes) -> NDArray[np.float64]:
        """Return the structural features of ``genes``."""
        return latency_features(self._structure(genes), self._roofline(genes))

    def inputs(self, genes: Genes) -> dict[str, NDArray[np.float64]]:
        """Return what models read of ``genes``: features, choices, and the roofline in milliseconds."""
        roofline_ms = combine_terms(self._roofline(genes))[:, None]
        one_hot = self.space.one_hot(genes).astype(np.float64)
        return {"features": self.features(genes), "one_hot": one_hot, "roofline_ms": roofline_ms}

    def predict(self, genes: Genes) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return (mean_ms, std_ms) of a population, each (n,); an analytic latency has no deviation."""
        if self.model is None:
            return combine_terms(self._roofline(genes)), None
        parts = [self.model.predict_inputs(self.inputs(some)) for some in _parts(genes)]
        mean_ms, std_ms = (np.concatenate(each) for each in zip(*parts, strict=True))
        return mean_ms, std_ms

    def upper_ms(self, genes: Genes) -> NDArray[np.float64]:
        """Return what a measurement stays under with 95 %, (n,); the analytic latency itself, which knows no error."""
        if self.model is None:
            return combine_terms(self._roofline(genes))
        return np.concatenate([self.model.upper_ms(self.inputs(some)) for some in _parts(genes)])


def _parts(genes: Genes) -> list[Genes]:
    return [genes[part] for part in chunks(len(genes), CHUNK_ROWS)]


def _quantised_terms(layers: Sequence[Layer]) -> tuple[float, ...]:
    return (*structural_terms(layers), *precision_terms(layers))


def learn_latency(context: Context) -> list[TargetLatency]:
    """Return the latency on each target of the configuration, in its order."""
    with context.stage("latency"):
        return [_learn(context, name) for name in context.config.latency.targets]


def _learn(context: Context, name: str) -> TargetLatency:
    calibrated = find_calibrated(context.config.latency.models, parse_target(name).text, context.space)
    wanted = _further(context, parse_target(name).text)
    if calibrated is not None:
        _refuse(wanted, f"the model of latency.models knows medians alone: leave {calibrated.target.name} out of it")
        context.talk.say(f"{calibrated.target.name}: the calibrated model of {len(calibrated.measured_ms)} networks")
        genes = context.space.encode(calibrated.architectures(context.space))
        reason = str(calibrated.checks.get("model", ""))
        return TargetLatency(context.space, calibrated.target, calibrated.model, genes, calibrated.measured_ms, reason)
    found = target(name, cpu=_cpu_facts(context) if parse_target(name).device == "cpu" else None)
    analytic = TargetLatency(context.space, found)
    if not context.config.latency.measure or not is_present(found):
        _refuse(wanted, f"{found.name} is not here, or latency.measure is off: run where it is, or give latency_ms")
        context.talk.say(f"{found.name}: analytic roofline (no such device here, or measuring is off)")
        return analytic
    genes = networks_to_measure(context.space, context.config.seed, context.config.latency.measured_networks)
    architectures = context.space.decode(genes)
    with context.talk.progress(f"timing on {found.name}", len(architectures)) as progress:
        timed = []
        for number, architecture in enumerate(architectures, start=1):
            timed.append(measure(context, found, architecture))
            progress(number)
    medians = [each["latency_ms"] for each in timed]
    if doubts := [timing.versions["notes"] for timing in medians if "notes" in timing.versions]:
        context.talk.warn(
            f"{found.name}: {len(doubts)} of {len(timed)} timings are doubtful ({doubts[0]}): "
            "time on a quiet machine, with a new study name"
        )
    for quantity in wanted:
        if any(quantity not in each or each[quantity].value <= 0 for each in timed):
            _refuse([quantity], f"no driver of {found.name} tells it of all timed networks: give latency_ms")
    prior = prior_of(analytic, population_of(context.space, context.config.seed))
    further = {
        quantity: _fitted(context, analytic, prior, genes, [each[quantity] for each in timed]) for quantity in wanted
    }
    return _fitted(context, analytic, prior, genes, medians).changed(further=further)


def _fitted(
    context: Context, analytic: TargetLatency, prior: LatencyPrior, genes: Genes, measured: Sequence[Measurement]
) -> TargetLatency:
    """Return the model of what was measured of ``genes``, one quantity."""
    values, unit = np.array([each.value for each in measured]), measured[0].unit
    choice = chosen_model(analytic, prior, genes, values)
    check = choice.model.leave_one_out()
    what = "" if measured[0].quantity == "latency_ms" else f" {measured[0].quantity}"
    context.talk.say(
        f"{analytic.target.name}{what}: {len(values)} networks timed, {values.min():.2f} to {values.max():.2f} {unit}; "
        f"each predicted from the others: Kendall tau {check.kendall_tau:.3f}, "
        f"median error {100 * check.median_relative_error:.1f} %; model {choice.reason}"
    )
    return analytic.changed(model=choice.model, genes=genes, measured_ms=values, reason=choice.reason)


def _further(context: Context, target: str) -> list[str]:
    """Return the quantities but the median latency that objectives are of, on a target by its canonical name."""
    objectives = [each.objective() for each in context.config.objectives]
    return [
        each.quantity
        for each in objectives
        if each.target and each.quantity != "latency_ms" and parse_target(each.target).text == target
    ]


def _refuse(quantities: Sequence[str], reason: str) -> None:
    """Raise UsageError if there is a quantity: it is known by measuring alone."""
    if quantities:
        raise UsageError(f"search.objectives: {', '.join(quantities)} can't be known without measuring: {reason}")


def _cpu_facts(context: Context) -> Device:
    """Return this CPU's facts; they are measured once a study, since a second measurement would differ."""
    stored = context.study.done("target").get("cpu")
    if stored is not None:
        return Device.model_validate(stored)
    from predictors.calibration import cpu_device

    context.study.begin("target", "cpu")
    device = cpu_device()
    context.study.finish("target", "cpu", device.model_dump(mode="json"))
    return Device.model_validate(context.study.done("target")["cpu"])


def networks_to_measure(space: SearchSpace, seed: int, num: int) -> Genes:
    """Return up to ``num`` distinct networks, the largest and the smallest first, then random ones."""
    ends = space.encode([space.largest(), space.smallest()])
    drawn = space.sample(np.random.default_rng([seed, 1]), 20 * num)
    rows = np.concatenate([ends, drawn])
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)[:num]]


def by_name(latencies: Sequence[TargetLatency]) -> dict[str, TargetLatency]:
    """Return the latencies by their target's canonical name."""
    return {latency.target.name: latency for latency in latencies}
