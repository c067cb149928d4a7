from types import SimpleNamespace

import numpy as np
import pytest

from experiments.calibrated import Calibrated, write_calibrated
from experiments.stages import latency as stage
from experiments.stages.latency import TargetLatency, networks_to_measure, time_network
from experiments.stages.search import CheapValues
from nas.search.objectives import make_objective
from predictors.latency import LatencyModel
from predictors.target import target
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
        config=SimpleNamespace(latency=SimpleNamespace(models=(str(folder),))),
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
    timing = SimpleNamespace(measurement=lambda name: name)
    monkeypatch.setattr(
        stage, "time_subject", lambda subject, where, plan: seen.append((subject, where, plan)) or timing
    )
    context = SimpleNamespace(space=nb201, config=SimpleNamespace(latency=SimpleNamespace(budget_s=0.25), seed=0))
    architecture = nb201.smallest()
    where = target("cpu:b2:onnxruntime")
    assert time_network(context, where, architecture) == "cpu:fp32:b2:onnxruntime"
    ((subject, given, plan),) = seen
    assert (subject.name, given, plan.budget_s) == (architecture.key, where, 0.25)
