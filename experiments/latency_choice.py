"""Which latency model a target gets, given what was measured there: the candidates of a search space, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from predictors.choosing import Choice, candidates_of, choose_latency_model
from predictors.latency import FEATURES, ONE_HOT, LatencyPrior
from search_spaces.space import Genes, SearchSpace

if TYPE_CHECKING:
    from experiments.stages.latency import TargetLatency

# Networks that stand for the space where a prior is made and networks to measure are chosen.
POPULATION = 2000


def population_of(space: SearchSpace, seed: int) -> Genes:
    """Return distinct networks that stand for the space: the largest, the smallest and random ones."""
    ends = space.encode([space.largest(), space.smallest()])
    drawn = space.sample(np.random.default_rng([seed, 1]), POPULATION)
    found: Genes = np.unique(np.concatenate([ends, drawn]), axis=0)
    return found


def prior_of(analytic: TargetLatency, population: Genes) -> LatencyPrior:
    """Return what is known of the space on the target before anything was measured there."""
    return LatencyPrior.of((FEATURES, ONE_HOT), analytic.inputs(population))


def chosen_model(
    analytic: TargetLatency, prior: LatencyPrior, genes: Genes, measured_ms: NDArray[np.float64]
) -> Choice:
    """Return the model that errs least when some measurements are left out: the roofline corrected, or what is learnt.

    Args:
        analytic: the latency of the target without measurements.
        prior: of ``prior_of``.
        genes: the measured networks.
        measured_ms: their latencies, (n,).
    """
    return choose_latency_model(candidates_of((), ["roofline_ms"], prior), analytic.inputs(genes), measured_ms)
