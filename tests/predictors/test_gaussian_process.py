import json

import numpy as np
import pytest

from predictors.gaussian_process import CHUNK_ROWS, GaussianProcess, Scaling
from predictors.kernels import Kernel
from search_spaces.errors import UsageError

KERNELS = (Kernel("linear", "a"), Kernel("rbf", "a", -1.0), Kernel("linear", "b"))


def population(num, seed=0, noise=0.01):
    rng = np.random.default_rng(seed)
    inputs = {"a": rng.normal(50.0, 9.0, size=(num, 3)), "b": rng.integers(0, 2, size=(num, 4)).astype(float)}
    values = inputs["a"] @ [1.0, -2.0, 0.5] + inputs["b"] @ [5.0, 0.0, -3.0, 1.0] + rng.normal(0, noise, num)
    return inputs, values


def fit(num=30, **changes):
    return GaussianProcess.fit(KERNELS, ["a"], *population(num, **changes))


def test_it_learns_a_sum():
    inputs, values = population(500, seed=1)
    mean, deviation = fit().predict(inputs)
    assert np.sqrt(np.mean((mean - values) ** 2)) < 0.05 * values.std()
    assert (deviation > 0).all()


def test_far_away_it_is_less_sure():
    process = fit()
    near, far = ({"a": np.full((1, 3), value), "b": np.ones((1, 4))} for value in (50.0, 500.0))
    assert process.predict(far)[1][0] > 5 * process.predict(near)[1][0]


def test_a_row_among_many_is_predicted_as_alone():
    process, (inputs, _) = fit(), population(2 * CHUNK_ROWS + 1, seed=1)
    mean, deviation = process.predict(inputs)
    assert mean.shape == deviation.shape == (2 * CHUNK_ROWS + 1,)
    for row in (0, CHUNK_ROWS - 1, CHUNK_ROWS, 2 * CHUNK_ROWS):
        alone = process.predict({name: columns[row : row + 1] for name, columns in inputs.items()})
        np.testing.assert_allclose([mean[row], deviation[row]], np.ravel(alone), rtol=1e-5)
    assert process.predict({name: columns[:0] for name, columns in inputs.items()})[0].shape == (0,)


def test_ninety_percent_intervals_hold_ninety_percent():
    inputs, values = population(2000, seed=1, noise=5.0)
    mean, deviation = fit(200, noise=5.0).predict(inputs)
    assert 0.87 < np.mean(np.abs(mean - values) < 1.6449 * deviation) < 0.93


def test_the_same_samples_give_the_same_bits():
    inputs, _ = population(50, seed=2)
    first, second = fit().predict(inputs), fit().predict(inputs)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_json_and_back_predicts_the_same_bits():
    process = fit()
    again = GaussianProcess.from_dict(json.loads(json.dumps(process.to_dict())))
    inputs, _ = population(50, seed=2)
    for before, after in zip(process.predict(inputs), again.predict(inputs), strict=True):
        assert (before == after).all()


def test_leave_one_out_equals_leaving_one_out():
    inputs, values = population(12, noise=3.0)
    process = GaussianProcess.fit([Kernel("linear", "b")], [], inputs, values)
    found = process.leave_one_out()
    # The covariance by hand, on the scaling of all samples as the closed form has it.
    rows = inputs["b"] - inputs["b"].mean(axis=0)
    variance, noise = np.exp(process.hyper)
    covariance = variance * rows @ rows.T / 4 + 0.05 + noise * np.eye(12)
    centred = (values - values.mean()) / values.std()
    for row in range(12):
        others = np.delete(np.arange(12), row)
        solved = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, row])
        assert found.predicted[row] == pytest.approx(values.mean() + values.std() * solved @ centred[others])
        left = covariance[row, row] - solved @ covariance[others, row]
        assert found.deviation[row] == pytest.approx(values.std() * np.sqrt(left))


def test_many_samples_take_the_hyper_parameters_of_some():
    inputs, values = population(700, noise=1.0)
    process = GaussianProcess.fit(KERNELS, ["a"], inputs, values)
    assert len(process.leave_one_out().predicted) == 700
    assert process.leave_one_out().root_mean_square_error < 1.2


def test_equal_values_are_predicted_as_they_are():
    inputs, _ = population(10)
    mean, deviation = GaussianProcess.fit(KERNELS, ["a"], inputs, np.full(10, 7.0)).predict(inputs)
    assert mean == pytest.approx(np.full(10, 7.0))
    assert np.isfinite(deviation).all()


def test_columns_that_do_not_vary_are_left_out():
    samples = np.array([[1.0, 5.0, 1e9], [3.0, 5.0, 1e9 + 1e-3]])
    scaling = Scaling.of(samples, standardise=True)
    assert scaling(np.array([[2.0, 99.0, 0.0], [4.0, 5.0, 0.0]])).tolist() == [[0.0], [2.0]]
    constant = Scaling.of(np.ones((3, 2)), standardise=True)
    assert constant(np.ones((4, 2))).tolist() == [[0.0]] * 4


def test_other_columns_than_the_samples_are_refused():
    inputs, _ = population(5)
    with pytest.raises(UsageError, match="b has 2 columns: the model was fitted on 4"):
        fit().predict({"a": inputs["a"], "b": inputs["b"][:, :2]})


@pytest.mark.parametrize("key", ["kernels", "standardised", "inputs", "values", "hyper"])
def test_data_that_lacks_a_key_is_refused(key):
    content = fit(8).to_dict()
    del content[key]
    with pytest.raises(UsageError, match=f"can't be read .*{key}.* fit it again"):
        GaussianProcess.from_dict(content)


@pytest.mark.parametrize("change", [{"values": [1.0]}, {"hyper": []}, {"inputs": []}, {"kernels": [{"kind": "rbf"}]}])
def test_data_that_holds_something_else_is_refused(change):
    with pytest.raises(UsageError, match="can't be read"):
        GaussianProcess.from_dict({**fit(8).to_dict(), **change})
