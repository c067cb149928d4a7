from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from experiments.benchmarks.graph_network import fit_graph_network


def test_it_learns_a_sum_over_choices() -> None:
    rng = np.random.default_rng(0)
    genes = np.column_stack([np.zeros(400), rng.integers(-1, 3, size=(400, 5))]).astype(np.int16)
    values = 5.0 + (genes * [0, 1, 1, 2, 2, 1]).sum(axis=1)
    found = fit_graph_network(genes, np.arange(100), values[:100])()
    assert found.shape == (400,)
    assert spearmanr(found[100:], values[100:]).statistic > 0.8
