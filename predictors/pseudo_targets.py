"""Intervals that hold for a device that was never seen: by how much they fall short on the devices that were.

Each source takes the place of the target: the sources of other families are its sources, so many of its networks count
as measured, chosen by the same sampler, and what was predicted is held against its whole table. The factor that makes
the pooled 90 % intervals of all these pseudo-targets hold 90 % of what is true is applied to the target: conformal
prediction over devices, in the place of a belief.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from predictors.hypotheses import SourcePrior, hypotheses
from predictors.kernels import Array
from predictors.latency import DEVIATION_FACTOR, LatencyModel, LatencyPrior
from predictors.samples import as_inputs
from predictors.sampling import choose
from predictors.validation import HALF_WIDTH_90

COVERED = 0.9
# Fewer pseudo-targets say less than the model itself.
MIN_PSEUDO_TARGETS = 3
# Sources are few: that a device needs narrower intervals than the one without any is more often chance than not.
MAX_FACTOR = 3.0


def family_of(device: str) -> str:
    """Return what a device's keys have in common: ``1080ti`` of ``1080ti_32``, a card and its batch size."""
    stem, _, batch = device.rpartition("_")
    return stem if batch.isdigit() and stem else device


def calibrated_prior(
    prior: LatencyPrior,
    population: Mapping[str, ArrayLike],
    sources_ms: Mapping[str, ArrayLike],
    sampler: str,
    num: int,
    seed: int = 0,
) -> LatencyPrior:
    """Return ``prior`` with the factor of deviations that its sources, each in the target's place, ask for.

    Args:
        prior: of the space with all sources.
        population: matrices of (n, d) by group, those of ``LatencyPrior.of``.
        sources_ms: device -> latencies of the population, (n,); keys of one card (``1080ti_1``, ``1080ti_32``) never
            help each other.
        sampler: how networks of the target are chosen.
        num: how many of them will be measured.
        seed: of the choice.
    """
    inputs = as_inputs({group.name: population[group.name] for group in prior.encoding.groups})
    rows, names = prior.encoding(inputs), list(sources_ms)
    ratios = []
    for name in names:
        kept = np.array([family_of(other) != family_of(name) for other in names])
        if kept.any() and prior.sources is not None:
            pseudo = _without(prior, rows, prior.sources, kept)
            latency_ms = np.asarray(sources_ms[name], dtype=np.float64)
            ratios.append(_ratios(pseudo, inputs, latency_ms, choose(sampler, pseudo, rows, num, seed)))
    if len(ratios) < MIN_PSEUDO_TARGETS:
        return prior
    factor = float(np.quantile(np.concatenate(ratios), COVERED)) / HALF_WIDTH_90
    return replace(prior, deviation_factor=float(np.clip(factor, DEVIATION_FACTOR, MAX_FACTOR)))


def _without(prior: LatencyPrior, rows: Array, sources: SourcePrior, kept: np.typing.NDArray[np.bool_]) -> LatencyPrior:
    fewer = SourcePrior(sources.coefficients[:, kept], sources.log_spread[kept])
    return LatencyPrior(prior.encoding, hypotheses(prior.encoding, rows, fewer), fewer)


def _ratios(
    prior: LatencyPrior, inputs: Mapping[str, Array], latency_ms: Array, chosen: np.typing.NDArray[np.intp]
) -> Array:
    """Return |error| / deviation of every network, (n,)."""
    few = {name: matrix[chosen] for name, matrix in inputs.items()}
    mean, deviation = LatencyModel.fit_prior(prior, few, latency_ms[chosen]).predict_inputs(inputs)
    return np.abs(mean - latency_ms) / deviation
