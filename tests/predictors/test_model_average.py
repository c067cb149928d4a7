import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.hypotheses import Hypotheses
from predictors.model_average import CONSTANT, average

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 5))
TREND = np.array([1.0, 0.5, 0.0, 0.0, 0.0])
# Latencies of about 10 ms that the trend and a deviation along the third column explain.
VALUES = 10.0 * (1 + 0.2 * (ROWS @ TREND + 0.5 * ROWS[:, 2] + 0.05 * RNG.normal(size=200)))


def prior(weights=((0.5, 0.1),), noise=(0.01,), scales=(0.2,), trends=None, trend=(0,), log_prior=None):
    eye = np.eye(5)
    return Hypotheses(
        maps=(eye[:, :3], eye[:, 3:]),
        trends=TREND[:, None] if trends is None else trends,
        trend=np.array(trend, dtype=np.intp),
        weights=np.array(weights, dtype=np.float64),
        noise=np.array(noise, dtype=np.float64),
        log_prior=np.zeros(len(weights)) if log_prior is None else np.log(log_prior),
        scales=np.array(scales, dtype=np.float64),
        log_scale_prior=np.zeros(len(scales)),
    )


def by_hand(few, values, new, weights=(0.5, 0.1), noise=0.01, scale=0.2):
    """The textbook Gaussian process with the trend as its mean, scaled."""
    level = np.median(values)
    diagonal = np.array([weights[0]] * 3 + [weights[1]] * 2)
    kernel = lambda a, b: (a * diagonal) @ b.T + CONSTANT  # noqa: E731
    solve = np.linalg.inv(kernel(few, few) + noise * np.eye(len(few)))
    left = values / level - 1 - scale * few @ TREND
    mean = scale * new @ TREND + kernel(new, few) @ solve @ left
    covariance = kernel(new, new) - kernel(new, few) @ solve @ kernel(few, new)
    return level * (1 + mean), level * scale * np.sqrt(np.diag(covariance) + noise)


def test_one_hypothesis_is_the_textbook_gaussian_process():
    found = average(prior(), ROWS[:12], VALUES[:12])
    assert found.downweighted.tolist() == [1.0] * 12
    for got, expected in zip(
        found.posterior.predict(ROWS[12:]), by_hand(ROWS[:12], VALUES[:12], ROWS[12:]), strict=True
    ):
        assert got == pytest.approx(expected, rel=1e-5)


def test_leave_one_out_is_leaving_one_out():
    found = average(prior(), ROWS[:12], VALUES[:12])
    level = np.median(VALUES[:12])
    for row in range(12):
        others = np.delete(np.arange(12), row)
        solve = by_hand(ROWS[others], VALUES[others], ROWS[[row]])
        # By hand the level is that of the others.
        if np.median(VALUES[others]) == pytest.approx(level, rel=1e-3):
            assert found.check.predicted[row] == pytest.approx(solve[0][0], rel=1e-2)
        assert found.check.deviation[row] == pytest.approx(solve[1][0] * level / np.median(VALUES[others]), rel=1e-5)


def test_the_average_has_the_mean_and_the_variance_of_the_mixture(monkeypatch):
    monkeypatch.setattr("predictors.model_average.OUTLIER", np.inf)
    both = prior(weights=((0.5, 0.1), (0.01, 2.0)), noise=(0.01, 0.3), trend=(0, 0), scales=(0.1, 0.3))
    found = average(both, ROWS[:8], VALUES[:8])
    means, deviations, evidence = [], [], []
    for index in range(2):
        for scale in (0.1, 0.3):
            one = average(
                prior(weights=(both.weights[index],), noise=(both.noise[index],), scales=(scale,)), ROWS[:8], VALUES[:8]
            )
            mean, deviation = one.posterior.predict(ROWS[8:])
            means.append(mean), deviations.append(deviation), evidence.append(one.log_evidence)
    weight = np.exp(np.array(evidence) - max(evidence))
    weight = (weight / weight.sum())[:, None]
    mean = (weight * means).sum(axis=0)
    second = (weight * (np.square(means) + np.square(deviations))).sum(axis=0)
    got_mean, got_deviation = found.posterior.predict(ROWS[8:])
    assert got_mean == pytest.approx(mean, rel=1e-3)
    assert got_deviation == pytest.approx(np.sqrt(second - mean**2), rel=1e-2)


def test_the_likelier_trend_wins():
    trends = np.stack([np.array([0.0, 0, 0, 1, 0]), TREND], axis=1)
    weights = ((0.01, 0.01),) * 2
    found = average(prior(weights, (0.01,) * 2, trends=trends, trend=(0, 1)), ROWS[:10], VALUES[:10])
    assert found.posterior.mean[0] > 0.15
    assert abs(found.posterior.mean[3]) < 0.03


def test_a_disturbed_measurement_counts_for_less():
    values = VALUES[:20].copy()
    values[4] *= 4
    found = average(prior(), ROWS[:20], values)
    assert found.downweighted[4] > 10
    error = np.abs(found.posterior.predict(ROWS[20:])[0] / VALUES[20:] - 1)
    assert np.median(error) < 0.05


def test_deviations_hold_ninety_percent():
    inside = []
    for start in range(0, 180, 15):
        found = average(prior(noise=(0.0025,)), ROWS[start : start + 15], VALUES[start : start + 15])
        mean, deviation = found.posterior.predict(ROWS)
        inside.append(np.mean(np.abs(mean - VALUES) < 1.6449 * deviation))
    assert 0.85 < np.mean(inside) < 0.98


@given(st.floats(1e-3, 1e6))
def test_another_unit_changes_the_unit_alone(factor):
    mean, deviation = average(prior(), ROWS[:9], VALUES[:9]).posterior.predict(ROWS[9:20])
    scaled_mean, scaled_deviation = average(prior(), ROWS[:9], factor * VALUES[:9]).posterior.predict(ROWS[9:20])
    assert scaled_mean == pytest.approx(factor * mean, rel=1e-6)
    assert scaled_deviation == pytest.approx(factor * deviation, rel=1e-6)
