from __future__ import annotations

import json

import numpy as np
import pytest

from predictors.sister import SisterModel, sister_features
from search_spaces.errors import UsageError


def two_cards(num: int, seed: int = 0):
    """Latencies of networks on a source, and on a target 1.6 times as fast, more so where the source worked hard."""
    rng = np.random.default_rng(seed)
    macs = np.exp(rng.normal(0, 1, num))
    source = macs**0.8 * np.exp(rng.normal(0, 0.3, num))
    features = sister_features(macs, source)
    target = source / 1.6 * np.exp(-0.1 * (features[:, 0] - features.mean()) + rng.normal(0, 0.02, num))
    return source, features, target


def test_ten_runs_beat_one_constant_on_networks_that_were_not_run() -> None:
    source, features, target = two_cards(400)
    model = SisterModel.fit(source[:10], features[:10], target[:10], features)
    mean, std = model.predict(source[10:], features[10:])
    error = np.abs(mean / target[10:] - 1)
    constant = np.median(target[:10] / source[:10])
    assert error.mean() < 0.8 * np.abs(constant * source[10:] / target[10:] - 1).mean()
    assert 0.8 < np.mean(np.abs(mean - target[10:]) < 1.645 * std) <= 1.0


def test_one_run_gives_its_ratio() -> None:
    source, features, target = two_cards(50)
    model = SisterModel.fit(source[:1], features[:1], target[:1], features)
    assert model.predict(source[:1], features[:1])[0] == pytest.approx(target[:1])


def test_without_features_one_constant_is_learnt() -> None:
    source, _, target = two_cards(50)
    nothing = np.empty((50, 0))
    model = SisterModel.fit(source[:10], nothing[:10], target[:10], nothing)
    ratio = model.predict(source, nothing)[0] / source
    assert ratio == pytest.approx(ratio[0])


def test_it_comes_back_from_json() -> None:
    source, features, target = two_cards(30)
    model = SisterModel.fit(source[:5], features[:5], target[:5], features)
    again = SisterModel.from_dict(json.loads(json.dumps(model.to_dict())))
    for one, other in zip(model.predict(source, features), again.predict(source, features), strict=True):
        assert np.array_equal(one, other)
    with pytest.raises(UsageError, match=r"sister model can't be read.*fit it again"):
        SisterModel.from_dict({"centre": [0.0]})


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_latencies_that_cannot_be_are_refused(bad) -> None:
    source, features, target = two_cards(10)
    for place in (source, target):
        kept, place[3] = place[3], bad
        with pytest.raises(UsageError):
            SisterModel.fit(source, features, target, features)
        place[3] = kept
