from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from scaling.law import LAWS


def test_kaplan_critical_scale_is_where_the_error_is_one() -> None:
    found = LAWS.get("kaplan").derived({"a": 30.0, "alpha": 0.076})
    assert 30.0 * (10 ** found["log10_x_c"]) ** -0.076 == pytest.approx(1.0)


def test_chinchilla_split_is_the_best_of_all_splits_of_the_compute() -> None:
    planted = {"E": 1.7, "A": 400.0, "B": 410.0, "alpha": 0.34, "beta": 0.28}
    found = LAWS.get("chinchilla").derived(planted)
    compute = 1e20

    def loss(log_parameters: float) -> float:
        parameters = np.exp(log_parameters)
        data = compute / 6 / parameters
        return float(planted["A"] * parameters ** -planted["alpha"] + planted["B"] * data ** -planted["beta"])

    best = np.exp(minimize_scalar(loss, bounds=(10, 40), method="bounded", options={"xatol": 1e-9}).x)
    assert found["G"] * (compute / 6) ** found["parameters_exponent"] == pytest.approx(best, rel=1e-3)
    assert (compute / 6) ** found["data_exponent"] / found["G"] == pytest.approx(compute / 6 / best, rel=1e-3)


def test_data_axis_halving_factor_halves_what_is_above_the_floor() -> None:
    found = LAWS.get("data_axis").derived({"a": 5.0, "b": 0.3, "c": 2.0})
    assert found["halving_factor"] ** -0.3 == pytest.approx(0.5)


def test_patchification_counts_tokens() -> None:
    tokens = LAWS.get("patchification").variables(np.array([[224.0, 16.0], [224.0, 1.0]]))
    assert tokens.tolist() == [[196.0], [50176.0]]
