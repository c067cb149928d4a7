from pathlib import Path

import numpy as np
import pytest

from predictors.choosing import candidates_of, choose_latency_model

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_public_tables_a_sister_card_or_what_is_learnt():
    """Twenty networks of one card: with its sister of another batch at hand, and with a roofline alone."""
    if not DATA.is_dir():
        pytest.skip("public tables are not in ../shared/data")
    from experiments.benchmarks.latency import read_task

    task, _ = read_task(DATA, "fbnet", "titanx_64", "titanx_32")
    inputs = {**task.inputs, "macs_ms": 1e-9 + task.inputs["totals"][:, 1:2] / 1e6}
    inputs["titanx_32"] = task.latency_ms["titanx_32"][:, None]
    latency_ms, rows = task.latency_ms["titanx_64"], np.random.default_rng(0).choice(5000, 20, replace=False)
    measured = {name: matrix[rows] for name, matrix in inputs.items()}
    alone = choose_latency_model(candidates_of((), ["macs_ms"], task.prior([])), measured, latency_ms[rows])
    assert alone.name == "structural"
    assert set(alone.errors) == {"macs_ms x constant", "macs_ms on a line", "structural"}
    both = choose_latency_model(candidates_of((), ["titanx_32"], task.prior([])), measured, latency_ms[rows])
    assert min(both.errors, key=both.errors.__getitem__) == both.name or both.errors[both.name] < 0.05
    limit = alone.model.upper_ms(inputs)
    assert np.mean(latency_ms <= limit) > 0.85
