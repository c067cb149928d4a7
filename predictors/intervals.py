"""Intervals and limits that agree with leave-one-out residuals, also where there are few of them."""

from __future__ import annotations

from math import ceil

import numpy as np

from predictors.validation import Validation
from search_spaces.errors import UsageError

# How many residuals of variance one the model's own deviations are worth.
PRIOR_RESIDUALS = 10.0
# A single residual, as of a disturbed timing, stretches no more than this many deviations would.
MAX_RESIDUAL = 3.0


def scale_of(check: Validation) -> float:
    """Return the factor of predicted deviations: the pooled size of standardised leave-one-out residuals."""
    squares = np.minimum(np.abs(check.errors / check.deviation), MAX_RESIDUAL) ** 2
    return float(np.sqrt((PRIOR_RESIDUALS + squares.sum()) / (PRIOR_RESIDUALS + len(squares))))


def upper_factor(check: Validation, confidence: float, scale: float = 1.0) -> float:
    """Return how many (stretched) deviations above the mean a limit lies: split conformal prediction where n allows.

    The rank of the conformal quantile is ceil((n + 1) * confidence) (Vovk et al. 2005); where it exceeds n, too few
    residuals are there to tell, and the factor is Student's t with n - 1 degrees of freedom. It is never below the
    normal quantile.

    Args:
        check: each measurement predicted from the others.
        confidence: between 0.5 and 1.
        scale: what ``check.deviation`` is multiplied by.

    Raises:
        UsageError: another confidence.
    """
    from scipy.stats import norm, t

    if not 0.5 <= confidence < 1:
        raise UsageError(f"confidence is {confidence}: give at least 0.5 and less than 1")
    residuals = np.sort(-check.errors / (scale * check.deviation))
    rank = ceil((len(residuals) + 1) * confidence)
    if rank > len(residuals):
        return float(t.ppf(confidence, len(residuals) - 1))
    return max(float(residuals[rank - 1]), float(norm.ppf(confidence)))
