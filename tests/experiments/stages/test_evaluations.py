"""Evaluations of a search: each asked of the workers once, stored with everything that the search saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.stages.latency import TargetLatency
from experiments.stages.search import CheapValues, Evaluations
from experiments.store.store import Halted, Store, Study
from nas.search.objectives import make_objective
from nas.tasks.classification import Classification
from predictors.target import target
from search_spaces.architecture import Architecture
from search_spaces.spaces import space

SPACE = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10)
OBJECTIVES = (
    make_objective("accuracy"),
    make_objective("latency_ms@h100:bf16:b32"),
    make_objective("macs"),
    make_objective("latency_ms@orin:fp16:b1", upper=100.0),
)


class Workers:
    """The score is a network's place among those asked for, its spread 0.5; the last of each call ends first."""

    def __init__(self) -> None:
        self.asked: list[Architecture] = []
        self.num_entered = 0

    def run(
        self, architectures: Sequence[Architecture], begin: Callable[[Architecture], None]
    ) -> Iterator[tuple[Architecture, tuple[float, float]]]:
        for architecture in architectures:
            begin(architecture)
            self.asked.append(architecture)
        for architecture in reversed(architectures):
            yield architecture, (float(self.asked.index(architecture)), 0.5)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    with Store.open(str(tmp_path / "nas.db")) as store:
        found = store.study("a", {}, seed=0)
        found.take("r")
        yield found


def evaluations(study: Study, workers: Workers) -> Evaluations:
    @contextmanager
    def evaluating(_context: Any, _trained: Any) -> Iterator[Workers]:
        workers.num_entered += 1
        yield workers

    context: Any = SimpleNamespace(
        study=study,
        data=SimpleNamespace(validation=range(200), task=Classification()),
        space=SPACE,
        evaluating=evaluating,
    )
    latencies = [TargetLatency(SPACE, target(name)) for name in ("h100:bf16:b32", "orin:fp16:b1")]
    return Evaluations(context, None, CheapValues(SPACE, OBJECTIVES, latencies))  # type: ignore[arg-type]


def networks(num: int) -> list[Architecture]:
    import numpy as np

    return SPACE.decode(SPACE.sample(np.random.default_rng(0), num))


def test_each_network_is_asked_for_once_and_stored_with_its_costs(study: Study) -> None:
    first, second, third = networks(3)
    workers, ended = Workers(), list[int]()
    with evaluations(study, workers) as found:
        assert found.scores([first, second, first], lambda: ended.append(1)) == [0.0, 1.0, 0.0]
        assert found.scores([third, second]) == [2.0, 1.0]
    assert workers.asked == [first, second, third]
    assert (workers.num_entered, len(ended)) == (1, 2)
    values = study.values()
    assert list(values.columns) == [
        "validation_accuracy",
        "latency_ms@h100:bf16:b32",
        "macs",
        "latency_ms_upper_95@orin:fp16:b1",
    ]
    from search_spaces import cost

    # In order of ending.
    assert values["macs"].tolist() == [cost(SPACE.blueprint(each)).macs for each in (second, first, third)]
    obtained = {(found.quantity, found.obtained) for _, found in study.measurements()}
    assert ("validation_accuracy", "measured") in obtained
    assert {found.spread for _, found in study.measurements(quantity="validation_accuracy")} == {0.5}
    assert {how for name, how in obtained if name != "validation_accuracy"} == {"analytic"}


def test_what_is_stored_needs_no_workers(study: Study) -> None:
    some = networks(2)
    with evaluations(study, Workers()) as found:
        found.scores(some)
    workers = Workers()
    with evaluations(study, workers) as found:
        assert found.scores(some) == [0.0, 1.0]
    assert workers.num_entered == 0


def test_a_pause_reaches_the_search(study: Study, tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        store.queue.pause("a")
    with evaluations(study, Workers()) as found, pytest.raises(Halted):
        found.scores(networks(1))
