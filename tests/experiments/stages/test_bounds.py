from types import SimpleNamespace

from experiments.stages.bounds import breaks_bound, check_bounds
from nas.search.objectives import make_objective
from predictors.measurement import Measurement


def network(label, **measured_ms):
    targets = {"cpu": "cpu:fp32:b1", "h100": "h100:bf16:b1"}
    timed = {
        f"latency_ms@{targets[key]}": Measurement("latency_ms", value, "ms", "measured", target=targets[key])
        for key, value in measured_ms.items()
    }
    return SimpleNamespace(label=label, timed=timed)


CHOSEN = [network("N1", cpu=5.2), network("N2", cpu=5.0), network("N3", cpu=3.0)]


def test_the_networks_within_the_bound_are_counted_and_the_others_named():
    (check,) = check_bounds([make_objective("accuracy"), make_objective("latency_ms@cpu:b1", upper=5.0)], CHOSEN)
    assert check.met == ["N2", "N3"]
    assert check.sentence == (
        "2 of 3 chosen networks met the bound of 5 ms on cpu:fp32:b1 when measured; over it: N1 5.2 ms."
    )


def test_all_within():
    (check,) = check_bounds([make_objective("latency_ms@cpu", upper=6.0)], CHOSEN)
    assert check.sentence == "3 of 3 chosen networks met the bound of 6 ms on cpu:fp32:b1 when measured."


def test_a_target_that_is_elsewhere_is_told():
    (check,) = check_bounds([make_objective("latency_ms@h100:bf16", upper=1.0)], CHOSEN)
    assert check.measured == {}
    assert "was not held against a measurement" in check.sentence


def test_without_a_bound_on_latency_there_is_nothing_to_check():
    assert check_bounds([make_objective("latency_ms@cpu"), make_objective("macs", upper=10)], CHOSEN) == []


def test_a_measured_latency_above_its_bound_breaks_it():
    bounded = [make_objective("accuracy"), make_objective("latency_ms@cpu:b1", upper=5.0)]
    assert [breaks_bound(bounded, each.timed) for each in CHOSEN] == [True, False, False]
    assert not breaks_bound(bounded, {})
    assert not breaks_bound([make_objective("latency_ms@cpu:b1")], CHOSEN[0].timed)


def test_a_bound_on_the_95th_percentile_is_held_against_the_measured_one():
    tail = Measurement("latency_p95_ms", 7.5, "ms", "measured", target="cpu:fp32:b1")
    timed = {**CHOSEN[0].timed, "latency_p95_ms@cpu:fp32:b1": tail}
    bounded = [make_objective("latency_p95_ms@cpu", upper=7.0)]
    assert breaks_bound(bounded, timed)
    assert not breaks_bound(bounded, CHOSEN[0].timed)
    (check,) = check_bounds(bounded, [SimpleNamespace(label="N1", timed=timed)])
    assert check.sentence == (
        "0 of 1 chosen networks met the bound of 7 ms on cpu:fp32:b1 (latency_p95_ms) when measured; over it: "
        "N1 7.5 ms."
    )
