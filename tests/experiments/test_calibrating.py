import json

import numpy as np
import pytest

from experiments.calibrated import ARRAYS_FILE, JSON_FILE, find_calibrated, read_calibrated, write_calibrated
from experiments.calibrating import calibrate, errors
from predictors.rounds import Rounds
from predictors.target import target
from predictors.validation import Validation
from search_spaces.errors import StorageError, UsageError
from search_spaces.spaces import space

SPACE = ("nb201", {})


@pytest.fixture(scope="module")
def found():
    """A model of measurements that follow the MACs: the clock is no part of these tests."""
    from experiments import calibrating
    from search_spaces.population import PopulationCost

    def measure(space, where, genes, seed, num_threads):
        macs = PopulationCost(space).counts(genes)[:, 1].astype(float)
        latency_ms = 1.0 + macs / macs.max() * 9.0
        return Rounds(np.repeat(latency_ms, 6).reshape(-1, 2, 3))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrating, "_measure", measure)
        return calibrate(space("nb201"), target("cpu"), budget=12, num_held_out=8, seed=1)


def test_the_model_is_checked_on_networks_that_it_never_saw(found):
    assert len(found.measured_ms) == len(set(found.networks)) == 12
    assert found.checks["leave_one_out"]["networks"] == 12
    assert found.checks["held_out"]["networks"] == 8
    assert found.checks["held_out"]["median_error_percent"] < 5
    assert found.checks["doubts"] == []
    assert found.checks["sampler"] == "variance"
    assert found.checks["model"].startswith("structural: cross-validated error")
    assert found.checks["versions"]["runtime"] == "eager"


def test_a_stored_model_predicts_the_same(found, tmp_path):
    from experiments.stages.latency import TargetLatency

    folder = write_calibrated(found, tmp_path / "model")
    again = read_calibrated(folder)
    assert again.target == found.target
    assert again.networks == found.networks
    assert again.checks == found.checks
    genes = space("nb201").sample(np.random.default_rng(0), 50)
    first, second = (TargetLatency(space("nb201"), each.target, each.model) for each in (found, again))
    assert np.array_equal(first.predict(genes)[0], second.predict(genes)[0])
    assert np.array_equal(first.upper_ms(genes), second.upper_ms(genes))
    assert (first.upper_ms(genes) > first.predict(genes)[0]).all()


def test_the_numbers_are_in_safetensors_and_the_rest_is_json(found, tmp_path):
    folder = write_calibrated(found, tmp_path / "model")
    content = json.loads((folder / JSON_FILE).read_text())
    assert content["target"]["device"]["name"] == "cpu"
    assert content["model"]["mean"] == "array:model.mean"
    assert (folder / ARRAYS_FILE).stat().st_size > 100


def test_a_study_finds_the_model_of_its_target_and_space(found, tmp_path):
    folder = str(write_calibrated(found, tmp_path / "model"))
    known = find_calibrated([folder], "cpu:fp32:b1", space("nb201"))
    assert known is not None
    assert [each.key for each in known.architectures(space("nb201"))] == [
        each.key for each in found.architectures(space("nb201"))
    ]
    assert find_calibrated([folder], "cpu:fp32:b8", space("nb201")) is None
    assert find_calibrated([], "cpu:fp32:b1", space("nb201")) is None
    with pytest.raises(UsageError, match=r"is of space nb201 .*the study searches fbnet .*calibrate that one"):
        find_calibrated([folder], "cpu:fp32:b1", space("fbnet"))


@pytest.mark.parametrize(
    ("change", "word"),
    [({"format": "x"}, "format is 'x'"), ({"model": {}}, "encoding"), ({"networks": None}, "not iterable")],
)
def test_a_folder_that_holds_something_else(found, tmp_path, change, word):
    folder = write_calibrated(found, tmp_path / "model")
    content = json.loads((folder / JSON_FILE).read_text())
    (folder / JSON_FILE).write_text(json.dumps({**content, **change}))
    with pytest.raises(UsageError, match=word) as caught:
        read_calibrated(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="holds no calibrated model"):
        read_calibrated(tmp_path / "none")


def test_a_folder_that_can_not_be_written(found, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="give another with --out"):
        write_calibrated(found, tmp_path / "file")


def test_too_little_is_refused():
    with pytest.raises(UsageError, match="budget is 4 and held out 10: give at least 5 and 0"):
        calibrate(space("nb201"), target("cpu"), budget=4)


def test_a_sampler_that_is_not_known():
    with pytest.raises(UsageError, match="unknown sampler 'k-means': did you mean 'kmeans'"):
        calibrate(space("nb201"), target("cpu"), sampler="k-means")


def test_errors_are_those_of_the_predictions():
    check = Validation(np.array([1.0, 2.0, 4.0]), np.array([1.05, 2.0, 3.0]), np.array([0.1, 0.1, 0.1]))
    assert errors(check) == {
        "networks": 3,
        "kendall_tau": 1.0,
        "spearman": 1.0,
        "median_error_percent": 5.0,
        "share_within_10_percent": 0.667,
        "coverage_90": 0.667,
    }
