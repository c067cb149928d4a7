"""Points that lie exactly on a law, for tests."""

from __future__ import annotations

import numpy as np

from scaling.law import Array, Law
from scaling.law_points import Points


def made_points(law: Law, inputs: Array, parameters: dict[str, float], noise: float = 0.0, seed: int = 0) -> Points:
    """Return points of the law's closed form, with log-normal noise."""
    variables = law.variables(inputs)
    errors = sum(
        parameters[term.coefficient]
        * (1.0 if term.input is None else variables[:, term.input] ** -parameters[term.exponent])
        for term in law.terms
    ) * np.exp(np.random.default_rng(seed).normal(0, noise, len(inputs)))
    return Points([f"row {number}" for number in range(len(inputs))], inputs, np.asarray(errors))
