"""What devices with long tables of measurements tell about a device with few."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from predictors.hypotheses import SourcePrior
from predictors.kernels import Array
from predictors.samples import check_samples

MIN_SOURCE_ROWS = 50
# Ridge penalty relative to the mean squared length of a row.
PENALTY = 1e-4
# Timings beyond these quantiles are other work on the device more often than they are the network.
CLIPPED = (0.002, 0.998)


def source_prior(rows: Array, latencies_ms: Mapping[str, ArrayLike]) -> SourcePrior:
    """Return the linear model of each source device over encoded rows.

    The models, not the measurements, are what a target is compared with: denoised sources transfer better.

    Args:
        rows: encoded networks, (n, p).
        latencies_ms: source -> latency of each of the networks, (n,).

    Raises:
        UsageError: fewer than 50 rows, or latencies that can't be; the source is named.
    """
    values = np.stack([_checked(rows, name, each) for name, each in latencies_ms.items()], axis=1)
    centred_rows, centred = rows - rows.mean(axis=0), values - values.mean(axis=0)
    gram = centred_rows.T @ centred_rows
    gram[np.diag_indices_from(gram)] += PENALTY * len(rows)
    coefficients = np.linalg.solve(gram, centred_rows.T @ centred)
    spread = values.std(axis=0)
    return SourcePrior(
        coefficients=coefficients / np.where(spread > 0, spread, 1.0),
        log_spread=np.log(np.maximum(spread, 1e-6 * np.median(values, axis=0)) / np.median(values, axis=0)),
    )


def _checked(rows: Array, name: str, latency_ms: ArrayLike) -> Array:
    given = {"features": rows}
    _, values = check_samples(given, f"source {name}", latency_ms, MIN_SOURCE_ROWS, positive=True, distinct=False)
    return np.asarray(np.clip(values, *np.quantile(values, CLIPPED)))
