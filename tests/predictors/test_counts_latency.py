from __future__ import annotations

import numpy as np
import pytest

from predictors.counts_latency import CountsLatency
from search_spaces.errors import UsageError


def networks(num_families: int = 20, each: int = 6, seed: int = 0):
    """Families whose latency is a power law of two counts, some of them half as fast for an operator they use."""
    rng = np.random.default_rng(seed)
    families = [f"family{number}" for number in range(num_families) for _ in range(each)]
    counts = rng.normal(0, 1, (len(families), 2))
    kinds = np.repeat(rng.integers(0, 2, (num_families, 1)), each, axis=0).astype(float)
    latency = np.exp(0.6 * counts[:, 0] + 0.3 * counts[:, 1] + 0.7 * kinds[:, 0] + rng.normal(0, 0.05, len(families)))
    return counts, counts[:, :1] - counts[:, 1:], kinds, latency, families


def test_families_left_out_are_predicted_better_than_by_a_line_through_the_counts() -> None:
    counts, ratios, kinds, latency, families = networks()
    model = CountsLatency.fit(counts[:90], ratios[:90], kinds[:90], latency[:90], families[:90])
    mean, std = model.predict(counts[90:], ratios[90:], kinds[90:])
    error = np.abs(mean / latency[90:] - 1).mean()
    columns = np.column_stack([np.ones(len(counts)), counts])
    line = np.exp(columns @ np.linalg.lstsq(columns[:90], np.log(latency[:90]), rcond=None)[0])
    assert error < 0.6 * np.abs(line[90:] / latency[90:] - 1).mean()
    assert bool((std > 0).all())


def test_the_same_networks_give_the_same_model() -> None:
    counts, ratios, kinds, latency, families = networks(10)
    first, second = (CountsLatency.fit(counts, ratios, kinds, latency, families, seed=3) for _ in range(2))
    for one, other in zip(first.predict(counts, ratios, kinds), second.predict(counts, ratios, kinds), strict=True):
        assert np.array_equal(one, other)


def test_too_few_networks_or_families_are_refused() -> None:
    counts, ratios, kinds, latency, families = networks()
    with pytest.raises(UsageError, match="50"):
        CountsLatency.fit(counts[:20], ratios[:20], kinds[:20], latency[:20], families[:20])
    with pytest.raises(UsageError, match="2 distinct, for 60 networks: give one each, at least 3 distinct"):
        CountsLatency.fit(counts[:60], ratios[:60], kinds[:60], latency[:60], ["a", "b"] * 30)


def test_an_analytic_latency_tells_of_the_networks_that_have_one_and_of_no_other() -> None:
    counts, ratios, kinds, latency, families = networks()
    rng = np.random.default_rng(1)
    unseen = np.exp(rng.normal(0, 0.6, len(latency)))
    latency = latency * unseen
    analytic = np.where(rng.random(len(latency)) < 0.8, 1.7 * latency, np.nan)
    known, seen, new = np.isfinite(analytic), slice(None, 90), slice(90, None)
    plain = CountsLatency.fit(counts[seen], ratios[seen], kinds[seen], latency[seen], families[seen])
    layered = CountsLatency.fit(
        counts[seen], ratios[seen], kinds[seen], latency[seen], families[seen], analytic_ms=analytic[seen]
    )
    before, _ = plain.predict(counts[new], ratios[new], kinds[new])
    after, std = layered.predict(counts[new], ratios[new], kinds[new], analytic[new])
    error, known = np.abs(after / latency[new] - 1), known[new]
    assert error[known].mean() < 0.2 < np.abs(before / latency[new] - 1)[known].mean()
    assert np.array_equal(after[~known], before[~known])
    assert (std / after)[known].max() < (std / after)[~known].min()


def test_an_analytic_latency_that_can_not_be_is_refused() -> None:
    counts, ratios, kinds, latency, families = networks()
    with pytest.raises(UsageError, match=r"analytic_ms has shape \(120,\) and 1 values at or below zero"):
        CountsLatency.fit(counts, ratios, kinds, latency, families, analytic_ms=np.where(np.arange(120), latency, 0.0))
    with pytest.raises(UsageError, match=r"analytic_ms has shape \(3,\)"):
        CountsLatency.fit(counts, ratios, kinds, latency, families, analytic_ms=latency[:3])
