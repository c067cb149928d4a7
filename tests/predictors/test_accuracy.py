import json
from pathlib import Path

import numpy as np
import pytest

from predictors.accuracy import AccuracyModel
from predictors.validation import Validation
from search_spaces.errors import UsageError

TABLE = Path(__file__).parents[3] / "shared" / "data" / "ofa" / "accuracy.parquet"


def population(num, seed=0):
    """Networks of eight kernels; what a kernel brings depends on its neighbour."""
    rng = np.random.default_rng(seed)
    kernels = rng.permutation(np.unique(rng.integers(0, 3, size=(4 * num, 8)), axis=0))[:num]
    one_hot = (kernels[:, :, None] == np.arange(3)).reshape(len(kernels), -1).astype(np.float32)
    costs = np.column_stack([kernels.sum(axis=1) * 1e6 + 5e6, 3.0 ** kernels.max(axis=1)])
    accuracy = 70 + 0.5 * kernels.sum(axis=1) - 0.2 * (kernels[:, 1:] * kernels[:, :-1]).sum(axis=1)
    return one_hot, costs, accuracy + rng.normal(0, 0.02, len(kernels))


def test_it_ranks_networks_that_it_has_not_seen():
    one_hot, costs, accuracy = population(800, seed=1)
    model = AccuracyModel.fit(*population(200))
    found = Validation(accuracy, *model.predict(one_hot, costs))
    assert found.kendall_tau > 0.9
    assert 0.8 < found.coverage_90 <= 1.0


def test_leave_one_out_tells_the_error_beforehand():
    one_hot, costs, accuracy = population(800, seed=1)
    model = AccuracyModel.fit(*population(100))
    held_out = Validation(accuracy, *model.predict(one_hot, costs)).root_mean_square_error
    assert model.leave_one_out().root_mean_square_error == pytest.approx(held_out, rel=0.3)


def test_json_and_back_predicts_the_same_bits():
    model = AccuracyModel.fit(*population(40))
    again = AccuracyModel.from_dict(json.loads(json.dumps(model.to_dict())))
    one_hot, costs, _ = population(50, seed=1)
    for before, after in zip(model.predict(one_hot, costs), again.predict(one_hot, costs), strict=True):
        assert (before == after).all()


def test_bad_samples_are_refused():
    one_hot, costs, accuracy = population(10)
    with pytest.raises(UsageError, match="accuracy: 10 of 10 rows are not finite"):
        AccuracyModel.fit(one_hot, costs, accuracy * np.nan)
    with pytest.raises(UsageError, match="accuracy has 4 samples: give at least 5"):
        AccuracyModel.fit(one_hot[:4], costs[:4], accuracy[:4])
    with pytest.raises(UsageError, match="repeat the network"):
        AccuracyModel.fit(*(np.concatenate([part, part[:1]]) for part in (one_hot, costs, accuracy)))
    model = AccuracyModel.fit(one_hot, costs, accuracy)
    with pytest.raises(UsageError, match="costs has 1 columns: the model was fitted on 2"):
        model.predict(one_hot, costs[:, :1])


def test_an_accuracy_of_zero_is_a_value():
    one_hot, costs, accuracy = population(10)
    accuracy[0] = 0.0
    assert np.isfinite(AccuracyModel.fit(one_hot, costs, accuracy).predict(one_hot, costs)).all()


@pytest.mark.skipif(not TABLE.is_file(), reason="the public accuracy table is not in ../shared/data/ofa")
def test_the_public_table_is_ranked_with_250_labels():
    import pandas as pd

    table = pd.read_parquet(TABLE)
    depth = table[[f"d_{stage}" for stage in range(5)]].to_numpy()
    present = np.repeat(depth, 4, axis=1) > np.tile(np.arange(4), 5)
    columns = [(depth[:, :, None] == [2, 3, 4]).reshape(len(table), -1)]
    for knob, values in (("ks", [3, 5, 7]), ("e", [3, 4, 6])):
        chosen = table[[f"{knob}_{slot}" for slot in range(20)]].to_numpy()
        columns.append(((chosen[:, :, None] == values) & present[:, :, None]).reshape(len(table), -1))
    one_hot, first = np.unique(np.hstack(columns).astype(float), axis=0, return_index=True)
    costs, accuracy = (table[names].to_numpy(dtype=float)[first] for names in (["macs", "params"], "imagenet_top1"))
    order = np.random.default_rng(0).permutation(len(first))
    known, rest = order[:250], order[250:]
    model = AccuracyModel.fit(one_hot[known], costs[known], accuracy[known])
    assert Validation(accuracy[rest], *model.predict(one_hot[rest], costs[rest])).kendall_tau > 0.94
