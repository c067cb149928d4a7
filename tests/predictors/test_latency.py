import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.encoding import Group
from predictors.latency import LatencyModel, LatencyPrior
from predictors.validation import Validation
from search_spaces.errors import UsageError

TABLES = Path(__file__).parents[3] / "shared" / "data" / "nb201"


def population(num, seed=0):
    """Networks of up to eight blocks of three kinds; each kind has its cost."""
    rng = np.random.default_rng(seed)
    kinds = np.unique(rng.integers(0, 4, size=(4 * num, 8)), axis=0)
    kinds = rng.permutation(kinds)[:num]
    one_hot = (kinds[:, :, None] == np.arange(1, 4)).reshape(len(kinds), -1).astype(np.float32)
    counts = (kinds[:, :, None] == np.arange(1, 4)).sum(axis=1)
    features = np.column_stack([counts.sum(axis=1), counts @ [10**6, 10**7, 10**8]])
    latency_ms = 0.2 + counts @ [0.1, 0.3, 0.9] * rng.normal(1.0, 0.01, len(kinds))
    return features, one_hot, latency_ms


def fit(num=30):
    return LatencyModel.fit(*population(num))


def test_it_ranks_and_predicts_networks_that_it_has_not_seen():
    features, one_hot, latency_ms = population(1000, seed=1)
    mean_ms, std_ms = fit().predict(features, one_hot)
    found = Validation(latency_ms, mean_ms, std_ms)
    assert found.spearman > 0.98
    assert found.median_relative_error < 0.03
    assert mean_ms.shape == std_ms.shape == (1000,)


def test_leave_one_out_tells_the_error_beforehand():
    found = fit().leave_one_out()
    assert found.kendall_tau > 0.9
    assert found.median_relative_error < 0.05


def test_json_and_back_predicts_the_same_bits():
    model = fit()
    again = LatencyModel.from_dict(json.loads(json.dumps(model.to_dict())))
    features, one_hot, _ = population(50, seed=1)
    for before, after in zip(model.predict(features, one_hot), again.predict(features, one_hot), strict=True):
        assert (before == after).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2, unique=True))
def test_predictions_are_positive_and_keep_their_order(values):
    model = fit(10)
    low, high = model._positive(np.array(sorted(values)))
    assert 0 <= low <= high


def test_far_below_the_samples_a_latency_stays_above_zero():
    features, one_hot, latency_ms = population(30)
    steep = LatencyModel.fit(features, one_hot, latency_ms - latency_ms.min() + 0.01)
    mean_ms, _ = steep.predict(np.zeros((1, 2)), np.zeros((1, 24)))
    assert 0 < mean_ms[0] < latency_ms.max()


def test_three_samples_are_enough_and_two_are_not():
    features, one_hot, latency_ms = population(3)
    assert np.isfinite(LatencyModel.fit(features, one_hot, latency_ms).predict(features, one_hot)).all()
    with pytest.raises(UsageError, match="latency_ms has 2 samples: give at least 3"):
        LatencyModel.fit(features[:2], one_hot[:2], latency_ms[:2])


def test_bad_samples_are_refused():
    features, one_hot, latency_ms = population(10)
    with pytest.raises(UsageError, match="not above zero"):
        LatencyModel.fit(features, one_hot, latency_ms * 0)
    with pytest.raises(UsageError, match="repeat the network of an earlier row"):
        LatencyModel.fit(*(np.concatenate([part, part[:1]]) for part in (features, one_hot, latency_ms)))
    with pytest.raises(UsageError, match="features: 10 of 10 rows are not finite"):
        fit().predict(features * np.nan, one_hot)
    with pytest.raises(UsageError, match="features 10, one_hot 9"):
        fit().predict(features, one_hot[:9])


@pytest.mark.skipif(not TABLES.is_dir(), reason="public latency tables are not in ../shared/data/nb201")
def test_public_gpu_tables_are_met_with_twenty_samples():
    import pandas as pd

    cells = pd.read_parquet(TABLES / "architectures.parquet")
    operators = cells[[name for name in cells if name.startswith("op_")]].to_numpy()
    indicators = operators[:, :, None] == np.arange(5)
    counts = indicators.sum(axis=1)
    features = np.column_stack([counts[:, 1:], counts[:, 2:].sum(axis=1), cells.macs, cells.params]).astype(float)
    one_hot = indicators.reshape(len(cells), -1)
    table = pd.read_parquet(TABLES / "latency.parquet").set_index(["device_key", "arch_idx"]).latency_ms
    for device, least in (("1080ti_1", 0.975), ("1080ti_256", 0.995), ("titanx_32", 0.97)):
        latency_ms = table[device].loc[cells.arch_idx].to_numpy(dtype=float)
        found = []
        for seed in range(3):
            chosen = np.random.default_rng(seed).choice(len(cells), 20, replace=False)
            model = LatencyModel.fit(features[chosen], one_hot[chosen], latency_ms[chosen])
            rest = np.setdiff1d(np.arange(len(cells)), chosen)
            found.append(Validation(latency_ms[rest], *model.predict(features[rest], one_hot[rest])).spearman)
        assert np.mean(found) > least, device


GROUPS = (Group("totals", trend=True), Group("one_hot", -2.0, standardise=False))


def inputs_of(features, one_hot):
    return {"totals": features, "one_hot": one_hot}


def prior(sources=False):
    features, one_hot, _ = population(600, seed=2)
    counts = one_hot.reshape(-1, 8, 3).sum(axis=1)
    tables = {"card": 1.0 + counts @ [0.2, 0.5, 2.1], "chip": 0.5 + counts @ [0.4, 0.3, 0.6]}
    return LatencyPrior.of(GROUPS, inputs_of(features, one_hot), tables if sources else None)


def test_sources_help_where_three_networks_were_measured():
    features, one_hot, latency_ms = population(300, seed=1)
    found = []
    for known in (prior(), prior(sources=True)):
        model = LatencyModel.fit_prior(known, inputs_of(features[:3], one_hot[:3]), latency_ms[:3])
        found.append(Validation(latency_ms, *model.predict_inputs(inputs_of(features, one_hot))))
    assert found[1].spearman > max(0.95, found[0].spearman)


def test_limits_hold_and_grow_with_the_confidence():
    features, one_hot, latency_ms = population(300, seed=1)
    model = LatencyModel.fit_prior(prior(), inputs_of(features[:30], one_hot[:30]), latency_ms[:30])
    new = inputs_of(features[30:], one_hot[30:])
    low, high = (model.upper_ms(new, confidence) for confidence in (0.8, 0.95))
    assert (low < high).all()
    assert np.mean(latency_ms[30:] <= high) >= 0.9
    with pytest.raises(UsageError, match=r"confidence is 1\.5"):
        model.upper_ms(new, 1.5)


@pytest.mark.parametrize("key", ["encoding", "level", "mean", "column_variance", "factor", "signs", "noise", "check"])
def test_data_that_lacks_a_key_is_refused(key):
    content = fit(8).to_dict()
    del content[key]
    with pytest.raises(UsageError, match=f"can't be read .*{key}.* fit it again"):
        LatencyModel.from_dict(content)


def test_data_of_other_shapes_is_refused():
    with pytest.raises(UsageError, match="the shapes differ"):
        LatencyModel.from_dict({**fit(8).to_dict(), "factor": [[1.0]]})
