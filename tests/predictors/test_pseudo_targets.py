from dataclasses import replace

import numpy as np
import pytest

from predictors.encoding import Group
from predictors.latency import DEVIATION_FACTOR, LatencyModel, LatencyPrior
from predictors.pseudo_targets import MAX_FACTOR, calibrated_prior, family_of

RNG = np.random.default_rng(0)
GROUP = Group("totals", trend=True)
POPULATION = {"totals": RNG.integers(0, 6, size=(400, 4)).astype(float)}


def devices(bend):
    """Four devices: sums over the columns, and what no sum explains, ``bend`` of it."""
    found = {}
    for name in ("card_1", "card_32", "chip", "phone"):
        weights = RNG.uniform(0.5, 2.0, 4)
        product = POPULATION["totals"][:, 0] * POPULATION["totals"][:, 1] * POPULATION["totals"][:, 2]
        found[name] = 5.0 + POPULATION["totals"] @ weights + bend * product + RNG.uniform(0, 0.1, 400)
    return found


def calibrated(tables, num=12):
    prior = LatencyPrior.of([GROUP], POPULATION, tables)
    return prior, calibrated_prior(prior, POPULATION, tables, "random", num)


@pytest.mark.parametrize(
    ("device", "family"),
    [("1080ti_32", "1080ti"), ("titan_rtx_1", "titan_rtx"), ("pixel3", "pixel3"), ("silver_4210r", "silver_4210r")],
)
def test_batch_sizes_of_a_card_are_one_family(device, family):
    assert family_of(device) == family


def test_what_sources_say_of_the_intervals_is_never_narrower_than_without_them():
    prior, found = calibrated(devices(0.0))
    assert DEVIATION_FACTOR <= found.deviation_factor <= MAX_FACTOR
    assert found.hypotheses is prior.hypotheses


def test_a_pseudo_target_s_own_family_does_not_help_it():
    tables = devices(0.0)
    one_family = {f"card_{batch}": values for batch, values in enumerate(tables.values())}
    prior, found = calibrated(one_family)
    assert found is prior


def test_the_factor_stretches_deviations_and_nothing_else():
    tables = devices(0.2)
    prior, _ = calibrated(tables)
    rows = {"totals": POPULATION["totals"][:15]}
    plain, wide = (
        LatencyModel.fit_prior(replace(prior, deviation_factor=factor), rows, tables["chip"][:15])
        for factor in (1.0, 2.0)
    )
    (mean, deviation), (same, wider) = plain.predict_inputs(POPULATION), wide.predict_inputs(POPULATION)
    assert mean == pytest.approx(same)
    assert wider == pytest.approx(2 * deviation)


def test_without_sources_the_prior_stays():
    prior = LatencyPrior.of([GROUP], POPULATION)
    assert calibrated_prior(prior, POPULATION, {}, "random", 10) is prior
