import numpy as np
import pytest

from predictors.choosing import candidates_of, choose_latency_model, cross_validated_error
from predictors.encoding import Group
from predictors.latency import LatencyPrior
from predictors.lines import Analytic
from search_spaces.errors import UsageError

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 6, size=(400, 4)).astype(float)
GROUP = Group("totals", trend=True)
STRUCTURAL = LatencyPrior.of([GROUP], {"totals": COUNTS})
TRUE_MS = 2.0 + COUNTS @ [0.1, 0.4, 1.5, 3.0]
ROOFLINE_MS = 0.2 + COUNTS @ [1.0, 1.0, 1.0, 1.0]
INPUTS = {"totals": COUNTS, "roofline_ms": ROOFLINE_MS[:, None], "sister": 1.7 * TRUE_MS[:, None]}


def few(num, names=tuple(INPUTS)):
    return {name: INPUTS[name][:num] for name in names}


def test_nothing_measured_leaves_the_analytic_latency():
    choice = choose_latency_model(candidates_of(["roofline_ms"], structural=STRUCTURAL), few(0), [])
    assert (choice.name, choice.errors) == ("roofline_ms", {})
    assert (choice.model.predict_inputs(INPUTS)[0] == ROOFLINE_MS).all()


def test_one_measurement_scales_the_sister():
    choice = choose_latency_model(candidates_of(["roofline_ms"], ["sister"], STRUCTURAL), few(1), TRUE_MS[:1])
    assert choice.name == "sister x constant"
    assert choice.model.predict_inputs(INPUTS)[0] == pytest.approx(TRUE_MS)


def test_a_true_sibling_beats_what_is_learnt():
    choice = choose_latency_model(candidates_of(["roofline_ms"], ["sister"], STRUCTURAL), few(20), TRUE_MS[:20])
    assert choice.name == "sister x constant"


def test_without_a_sibling_structure_is_learnt_and_the_reason_names_the_others():
    choice = choose_latency_model(candidates_of(["roofline_ms"], (), STRUCTURAL), few(20), TRUE_MS[:20])
    assert choice.name == "structural"
    assert choice.errors["structural"] < 0.1 < choice.errors["roofline_ms x constant"]
    assert "over 20 networks" in choice.reason
    assert "roofline_ms on a line" in choice.reason
    mean, deviation = choice.model.predict_inputs(INPUTS)
    assert np.median(np.abs(mean / TRUE_MS - 1)) < 0.05
    assert (deviation > 0).all()


def test_sources_are_a_candidate_of_their_own():
    transfer = LatencyPrior.of([GROUP], {"totals": COUNTS}, {"a": TRUE_MS, "b": 3 * TRUE_MS + ROOFLINE_MS})
    choice = choose_latency_model(candidates_of((), (), STRUCTURAL, transfer), few(6), TRUE_MS[:6])
    assert set(choice.errors) == {"structural", "transfer"}


def test_the_error_of_a_column_is_its_mean_log_ratio():
    found = cross_validated_error(Analytic("roofline_ms"), few(10), ROOFLINE_MS[:10] * np.e)
    assert found == pytest.approx(1.0)


def test_too_little_is_refused():
    with pytest.raises(UsageError, match="2 measurements and 1 candidate models: measure at least 3 networks"):
        choose_latency_model(candidates_of(structural=STRUCTURAL), few(2), TRUE_MS[:2])
    with pytest.raises(UsageError, match="1 of 5 rows are not above zero"):
        choose_latency_model(candidates_of(structural=STRUCTURAL), few(5), [1.0, 2.0, 0.0, 4.0, 5.0])
