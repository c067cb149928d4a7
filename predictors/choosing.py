"""One call for the latency of a space on a target: of the models that what is known allows, the one that errs least.

    choice = choose_latency_model(candidates_of(...), inputs, latency_ms)
    mean_ms, std_ms = choice.model.predict_inputs(population)

Every model reads the same mapping of columns (``inputs``): the groups of ``SpaceFeatures``, and single columns in
milliseconds as an analytic latency, a sum over a table of blocks, or the latency on a sister device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from predictors.kernels import Array
from predictors.latency import MIN_SAMPLES, LatencyModel, LatencyPrior
from predictors.lines import Analytic, Line, OneConstant, Straight
from predictors.samples import as_inputs
from search_spaces.errors import UsageError

NUM_FOLDS = 5
# A more involved model must err less than this share of a simpler one's error.
WORTH_IT = 0.95

Inputs = Mapping[str, ArrayLike]


# What is fitted: whole populations in, milliseconds, deviations and upper limits out.
Predictor = LatencyModel | Straight


class Candidate(Protocol):
    """A model that may be chosen."""

    @property
    def name(self) -> str:
        """How errors and reasons call it."""

    @property
    def min_samples(self) -> int:
        """How many measurements it needs."""

    def fit(self, inputs: Inputs, latency_ms: Array, /) -> Predictor:
        """Return the model of these measurements."""


@dataclass(frozen=True)
class Averaged:
    """The Bayesian average over linear models under a prior, with or without source devices in it."""

    name: str
    prior: LatencyPrior
    min_samples: int = MIN_SAMPLES

    def fit(self, inputs: Inputs, latency_ms: Array) -> Predictor:
        """Return ``LatencyModel.fit_prior``."""
        return LatencyModel.fit_prior(
            self.prior, {g.name: inputs[g.name] for g in self.prior.encoding.groups}, latency_ms
        )


@dataclass(frozen=True)
class Choice:
    """The model that was chosen.

    Attributes:
        name: of the candidate.
        model: fitted on all measurements.
        errors: mean |log(predicted / measured)| in cross-validation, by candidate; empty where none was possible.
        reason: one line for people.
    """

    name: str
    model: Predictor
    errors: dict[str, float]
    reason: str


def candidates_of(
    analytic: Sequence[str] = (),
    sisters: Sequence[str] = (),
    structural: LatencyPrior | None = None,
    transfer: LatencyPrior | None = None,
) -> list[Candidate]:
    """Return the candidates that what is known allows, the simplest first.

    Args:
        analytic: columns in milliseconds that hold without a measurement (``roofline_ms``, a table of blocks).
        sisters: columns in milliseconds of other devices, right up to a constant at best.
        structural: prior of the space without sources.
        transfer: prior of the space with sources.
    """
    found: list[Candidate] = [Analytic(column) for column in analytic]
    found += [OneConstant(column) for column in (*sisters, *analytic)]
    found += [Line(column) for column in (*sisters, *analytic)]
    found += [Averaged("structural", structural)] if structural else []
    return found + ([Averaged("transfer", transfer)] if transfer else [])


def choose_latency_model(candidates: Sequence[Candidate], inputs: Inputs, latency_ms: ArrayLike) -> Choice:
    """Return the candidate with the least cross-validated error, fitted on all measurements.

    Args:
        candidates: the simplest first, as ``candidates_of`` returns.
        inputs: columns of the measured networks, n rows each (0 where nothing was measured).
        latency_ms: measured medians in milliseconds, (n,).

    Raises:
        UsageError: no candidate can be fitted on so few measurements, or values that are no latencies.
    """
    given, values = as_inputs(inputs), np.asarray(latency_ms, dtype=np.float64)
    if not np.all(np.isfinite(values) & (values > 0)):
        wrong = int((~(np.isfinite(values) & (values > 0))).sum())
        raise UsageError(f"latency_ms: {wrong} of {len(values)} rows are not above zero: measure them again")
    possible = [candidate for candidate in candidates if candidate.min_samples <= len(values)]
    if not possible:
        least = min((candidate.min_samples for candidate in candidates), default=0)
        raise UsageError(
            f"{len(values)} measurements and {len(candidates)} candidate models: measure at least {least} networks, "
            "or give an analytic latency"
        )
    tested = [each for each in possible if each.min_samples <= len(values) - _largest_fold(len(values))]
    if len(values) < MIN_SAMPLES or not tested:
        chosen = possible[_last_simple(possible)]
        return Choice(chosen.name, chosen.fit(given, values), {}, _untested(chosen.name, len(values)))
    errors = {each.name: cross_validated_error(each, given, values) for each in tested}
    chosen = tested[0]
    for candidate in tested[1:]:
        if errors[candidate.name] < WORTH_IT * errors[chosen.name]:
            chosen = candidate
    return Choice(chosen.name, chosen.fit(given, values), errors, _reason(chosen.name, errors, len(values)))


def stored_model(content: Mapping[str, Any]) -> Predictor:
    """Return the model of its ``to_dict``'s data.

    Raises:
        UsageError: it is of neither kind.
    """
    return Straight.from_dict(content) if "column" in content else LatencyModel.from_dict(content)


def cross_validated_error(candidate: Candidate, inputs: Mapping[str, Array], latency_ms: Array) -> float:
    """Return the mean |log(predicted / measured)| over up to five folds, every fifth measurement in one."""
    folds = np.arange(len(latency_ms)) % _num_folds(len(latency_ms))
    errors = np.zeros(len(latency_ms))
    for fold in range(int(folds.max()) + 1):
        held = folds == fold
        model = candidate.fit({name: matrix[~held] for name, matrix in inputs.items()}, latency_ms[~held])
        mean, _ = model.predict_inputs({name: matrix[held] for name, matrix in inputs.items()})
        errors[held] = np.abs(np.log(mean / latency_ms[held]))
    return float(errors.mean())


def _num_folds(num: int) -> int:
    return max(1, min(NUM_FOLDS, num))


def _largest_fold(num: int) -> int:
    return -(-num // _num_folds(num))


def _last_simple(possible: Sequence[Candidate]) -> int:
    """Return the place of the first candidate that uses what was measured, or of the first."""
    needing = [index for index, candidate in enumerate(possible) if candidate.min_samples > 0]
    return needing[0] if needing else 0


def _untested(name: str, num: int) -> str:
    return f"{name}: {num} measurements are too few to compare models"


def _reason(name: str, errors: Mapping[str, float], num: int) -> str:
    others = ", ".join(f"{other} {100 * error:.1f} %" for other, error in errors.items() if other != name)
    return f"{name}: cross-validated error {100 * errors[name]:.1f} % over {num} networks ({others or 'no other'})"
