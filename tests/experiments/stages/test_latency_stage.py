import json
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_study import MEASURED

from experiments.calibrated import Calibrated, write_calibrated
from experiments.config import make_config
from experiments.stages import latency as stage
from experiments.stages import timed
from experiments.stages.latency import TargetLatency, networks_to_measure
from experiments.stages.search import CheapValues
from experiments.stages.timed import measure, time_network
from experiments.talk import Talk
from nas.search.objectives import make_objective
from predictors.latency import LatencyModel
from predictors.measurement import Measurement
from predictors.target import target
from predictors.timing import Timing
from search_spaces.errors import UsageError
from search_spaces.population import PopulationCost
from search_spaces.spaces import space


@pytest.fixture(scope="module")
def nb201():
    return space("nb201")


@pytest.fixture(scope="module")
def learnt(nb201):
    """A model of latencies that are noisy around the MACs."""
    genes = networks_to_measure(nb201, 0, 15)
    macs = PopulationCost(nb201).counts(genes)[:, 1].astype(float)
    latency_ms = (1 + macs / macs.max()) * np.random.default_rng(0).uniform(0.9, 1.1, len(genes))
    analytic = TargetLatency(nb201, target("cpu"))
    model = LatencyModel.fit(analytic.features(genes), nb201.one_hot(genes), latency_ms)
    return TargetLatency(nb201, analytic.target, model, genes, latency_ms)


def test_a_bounded_latency_is_searched_by_its_upper_limit(nb201, learnt):
    genes = nb201.sample(np.random.default_rng(1), 40)
    mean = CheapValues(nb201, [make_objective("latency_ms@cpu")], [learnt])(genes)[:, 0]
    limit = CheapValues(nb201, [make_objective("latency_ms@cpu", upper=2.0)], [learnt])(genes)[:, 0]
    assert np.array_equal(mean, learnt.predict(genes)[0])
    assert np.array_equal(limit, learnt.upper_ms(genes))
    assert (limit > mean).all()


def test_an_analytic_latency_is_its_own_limit(nb201):
    analytic = TargetLatency(nb201, target("h100"))
    genes = nb201.sample(np.random.default_rng(1), 5)
    assert np.array_equal(analytic.upper_ms(genes), analytic.predict(genes)[0])


def test_a_calibrated_model_is_taken_and_nothing_is_measured(nb201, learnt, tmp_path, monkeypatch):
    networks = tuple(architecture.to_json() for architecture in nb201.decode(learnt.genes))
    stored = Calibrated(
        learnt.target, ("nb201", nb201.settings_json), networks, learnt.measured_ms, learnt.model, {"versions": {}}
    )
    folder = write_calibrated(stored, tmp_path / "model")
    said = []
    context = SimpleNamespace(
        config=SimpleNamespace(latency=SimpleNamespace(models=(str(folder),)), objectives=()),
        space=nb201,
        talk=SimpleNamespace(say=said.append),
    )
    monkeypatch.setattr(stage, "measure", None)
    found = stage._learn(context, "cpu:b1")
    genes = nb201.sample(np.random.default_rng(2), 20)
    assert np.array_equal(found.predict(genes)[0], learnt.predict(genes)[0])
    assert np.array_equal(found.genes, learnt.genes)
    assert said == ["cpu:fp32:b1: the calibrated model of 15 networks"]


def test_a_network_is_timed_by_the_target_s_own_runtime(nb201, monkeypatch):
    seen = []
    timing = SimpleNamespace()
    monkeypatch.setattr(
        timed, "time_subject", lambda subject, where, plan: seen.append((subject, where, plan)) or timing
    )
    config = make_config({"name": "a", "latency": {"budget_s": 0.25}}, "test")
    context = SimpleNamespace(space=nb201, config=config)
    architecture = nb201.smallest()
    where = target("cpu:b2:onnxruntime")
    assert time_network(context, where, architecture) is timing
    ((subject, given, plan),) = seen
    assert (subject.name, given, plan.budget_s) == (architecture.key, where, 0.25)


@pytest.fixture(scope="module")
def small():
    return space("ofa_mobilenet", form="small_image", in_channels=1)


@pytest.fixture
def timing_study(small, monkeypatch):
    """Return a maker of a context of some objectives whose networks are "timed": the tail is twice the median."""

    def make(*names, energy=True, measure_it=True):
        def timed_as(context, where, architecture):
            median = 1.0 + PopulationCost(small).counts(small.encode([architecture]))[0, 1] / 1e8
            values = {
                "latency_ms": median,
                "latency_p95_ms": 2 * median,
                **({"energy_mj": 5 * median} if energy else {}),
            }
            return {
                name: Measurement(name, value, "ms", "measured", None, where.name) for name, value in values.items()
            }

        monkeypatch.setattr(stage, "measure", timed_as)
        objectives = ["accuracy", *names]
        latency = {"targets": ["cpu:fp32:b1"], "measured_networks": 12}
        config = make_config(
            {
                "name": "a",
                "space": {"name": "ofa_mobilenet", "form": "small_image"},
                "search": {"objectives": objectives},
                "latency": latency,
            },
            "test",
        )
        latency = config.latency.model_copy(update={"measure": measure_it})
        monkeypatch.setattr(stage, "_cpu_facts", lambda context: target("cpu:fp32:b1").device)
        return SimpleNamespace(
            config=config.model_copy(update={"latency": latency}), space=small, talk=Talk(quiet=True)
        )

    return make


def test_the_tail_and_the_energy_are_learnt_from_the_same_networks(small, timing_study):
    names = ["latency_ms@cpu:fp32:b1", "latency_p95_ms@cpu", "energy_mj@cpu:fp32:b1"]
    found = stage._learn(timing_study(*names), "cpu:fp32:b1")
    genes = small.sample(np.random.default_rng(5), 30)
    values = CheapValues(small, [make_objective(name) for name in names], [found])(genes)
    assert np.allclose(values[:, 1], 2 * values[:, 0], rtol=0.02)
    assert np.allclose(values[:, 2], 5 * values[:, 0], rtol=0.02)
    bounded = make_objective("latency_p95_ms@cpu", upper=3.0)
    assert np.array_equal(
        CheapValues(small, [bounded], [found])(genes)[:, 0], found.of("latency_p95_ms").upper_ms(genes)
    )
    [stored] = CheapValues(small, [bounded], [found]).measurements(small.smallest())
    assert (stored.quantity, stored.unit, stored.obtained) == ("latency_p95_ms_upper_95", "ms", "predicted")


def test_only_what_is_asked_for_is_learnt(timing_study):
    assert stage._learn(timing_study("latency_ms@cpu:fp32:b1"), "cpu:fp32:b1").further == {}


def test_what_was_not_measured_is_no_objective(timing_study):
    with pytest.raises(UsageError, match="energy_mj can't be known without measuring: no driver of cpu:fp32:b1 tells"):
        stage._learn(timing_study("energy_mj@cpu:fp32:b1", energy=False), "cpu:fp32:b1")
    with pytest.raises(
        UsageError, match=r"latency_p95_ms can't be .*: cpu:fp32:b1 is not here, or latency.measure is off"
    ):
        stage._learn(timing_study("latency_p95_ms@cpu:fp32:b1", measure_it=False), "cpu:fp32:b1")


def test_a_calibrated_model_knows_medians_alone(small, tmp_path, timing_study):
    found = stage._learn(timing_study(), "cpu:fp32:b1")
    networks = tuple(architecture.to_json() for architecture in small.decode(found.genes))
    stored = Calibrated(found.target, (small.name, small.settings_json), networks, found.measured_ms, found.model, {})
    folder = write_calibrated(stored, tmp_path / "model")
    context = timing_study("latency_p95_ms@cpu:fp32:b1")
    latency = context.config.latency.model_copy(update={"models": (str(folder),)})
    context.config = context.config.model_copy(update={"latency": latency})
    with pytest.raises(UsageError, match=r"latency_p95_ms can't be .*medians alone: leave cpu:fp32:b1 out of it"):
        stage._learn(context, "cpu:fp32:b1")


def test_a_timed_network_is_read_back_with_tail_and_energy(small, monkeypatch):
    rows = {}
    study = SimpleNamespace(
        attempts=lambda kind: rows,
        done=lambda kind: rows,
        begin=lambda kind, key: None,
        finish=lambda kind, key, payload, measurements, architecture: rows.update({key: payload}),
    )
    timing = Timing(2.0, 0.1, 2.5, 40, 10, stable=True, notes=("busy",), versions={"torch": "2"}, energy_mj=30.0)
    plans = []
    monkeypatch.setattr(timed, "time_subject", lambda subject, where, plan: plans.append(plan) or timing)
    config = make_config({"name": "a", "search": {"objectives": ["accuracy", "latency_p95_ms@cpu:fp32:b64"]}}, "test")
    context = SimpleNamespace(space=small, config=config, study=study)
    where = target("cpu")
    first, again = (measure(context, where, small.smallest()) for _ in range(2))
    assert first == again
    assert [plan.min_runs for plan in plans] == [timed.MIN_RUNS_P95]
    assert {name: (found.value, found.unit) for name, found in first.items()} == {
        "latency_ms": (2.0, "ms"),
        "latency_p95_ms": (2.5, "ms"),
        "energy_mj": (30.0, "mJ"),
    }
    assert all(found.obtained == "measured" and found.versions["notes"] == "busy" for found in first.values())
    # A row of an earlier version.
    [row] = rows.values()
    del row["p95_ms"], row["energy_mj"]
    assert list(measure(context, where, small.smallest())) == ["latency_ms"]


def test_a_study_searches_by_the_measured_tail(tmp_path, nas):
    path = tmp_path / "measured.toml"
    path.write_text(MEASURED)
    objectives = '["accuracy", "latency_ms@cpu:fp32:b2", "latency_p95_ms@cpu:fp32:b2"]'
    nas("search", path, "--out", tmp_path / "runs", f"--set=search.objectives={objectives}")
    content = json.loads((tmp_path / "runs" / "measured" / "front.json").read_text())
    assert content["objectives"][2] == "latency_p95_ms@cpu:fp32:b2"
    for row in content["joint_front"]:
        found = row["latency_p95_ms"]["cpu:fp32:b2"]
        assert found["obtained"] == "predicted"
        assert found["value"] > 0
    [chosen] = [row for row in content["joint_front"] if row["key"] in content["chosen"]]
    tail, median = (chosen[f"{name}_measured"]["cpu:fp32:b2"] for name in ("latency_p95_ms", "latency_ms"))
    assert tail["obtained"] == "measured"
    assert tail["value"] >= median["value"]
    picked = json.loads(
        nas("study", "pick", "measured", "--best", "latency_p95_ms@cpu", "--out", tmp_path / "runs", "--json").out
    )
    assert picked["chosen"] == "the best latency_p95_ms@cpu:fp32:b2"
