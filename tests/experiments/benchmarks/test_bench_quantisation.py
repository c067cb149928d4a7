from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import quantised_search
from experiments.benchmarks import benchmarks
from experiments.quantised_search import SEARCHES, as_joint, make_space
from search_spaces.errors import UsageError
from search_spaces.precision import policy_of


def bench(out: Path, **settings: Any) -> dict[str, Any]:
    return benchmarks.get("quantisation")(out=out, **settings)


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("granularity", ["block", "layer"])
def test_networks_of_each_search_are_networks_of_the_joint_space(granularity: str, name: str) -> None:
    # The joint search's own rows are those of the joint space.
    joint, found = make_space("joint", granularity), make_space(name)
    genes = found.sample(np.random.default_rng(0), 10)
    same = [joint.blueprint(each) for each in joint.decode(as_joint(joint, found, genes))]
    assert same == [found.blueprint(each) for each in found.decode(genes)]
    assert all(set(policy_of(blueprint).values()) <= set(SEARCHES[name]) for blueprint in same)


@pytest.mark.slow
def test_a_small_run_and_the_same_from_its_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised_search, "STEPS", {"digits": 10})
    settings = {"evaluations": 6, "seeds": 1, "measured_networks": 5, "exported": 1}
    found = bench(tmp_path, **settings)
    [row] = found["hypervolumes"]
    assert all(0 <= row[name] <= 1 for name in SEARCHES)
    [mean] = found["means"]
    assert {name: mean[name] for name in SEARCHES} == {name: row[name] for name in SEARCHES}
    [exported] = found["onnxruntime"]
    assert exported["agreement_percent"] > 90
    written = (tmp_path / "quantisation.jsonl").read_bytes()
    again = bench(tmp_path, **settings)
    assert (again["hypervolumes"], again["onnxruntime"]) == (found["hypervolumes"], found["onnxruntime"])
    assert (tmp_path / "quantisation.jsonl").read_bytes() == written


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": "mnist"}, "data got 'mnist': allowed: digits, fashion_mnist"),
        ({"data": "fashion_mnist"}, "give the folder of its four .gz files"),
        ({"evaluations": 0}, "evaluations is 0"),
        ({"measured_networks": 2}, "measured_networks 2"),
        ({"granularity": "stage"}, "quantisation.granularity got 'stage': .* 'block' or 'layer'"),
    ],
)
def test_what_can_not_be_used_is_named(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench(tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []
