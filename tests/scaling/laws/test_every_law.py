"""The contract of every form: it finds the parameters of points that lie on it, and predicts far beyond them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from law_points_made import made_points

from scaling.law import LAWS, Array
from scaling.law_fit import fit_law

COEFFICIENT, FLOOR, EXPONENTS = 60.0, 12.0, (0.4, 0.25)


def grid(num_columns: int) -> Array:
    """Return inputs (n, columns), the first column falling slowest; all whole powers of two."""
    sides = [2.0 ** np.arange(4, 10), 2.0 ** np.arange(0, 5)][:num_columns]
    return np.array(list(product(*sides)))


@pytest.mark.parametrize("name", LAWS.names())
def test_a_law_finds_the_parameters_of_its_own_points(name: str) -> None:
    law = LAWS.get(name)
    exponents = iter(EXPONENTS)
    planted: dict[str, float] = {}
    for term in law.terms:
        planted[term.coefficient] = FLOOR if term.input is None else COEFFICIENT
        if term.input is not None:
            planted[term.exponent] = next(exponents)
    inputs = grid(len(law.columns))
    fit = fit_law(law, made_points(law, inputs, planted), num_draws=2)
    found = fit.parameters()
    for key, value in planted.items():
        assert found[key] == pytest.approx(value, rel=0.01), key
    larger = law.variables(inputs * np.array([4.0, 0.5][: inputs.shape[1]]))
    exact = made_points(law, inputs * np.array([4.0, 0.5][: inputs.shape[1]]), planted).errors
    assert fit.predict(larger) == pytest.approx(exact, rel=0.003)
    assert set(law.derived(planted)) == set(found) - set(planted)
