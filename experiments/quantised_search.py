"""One supernetwork and one latency model, searched with free precisions of blocks or layers, all int8, all float32."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.journal import Journal, Row
from search_spaces.architecture import Architecture
from search_spaces.population import PopulationTable
from search_spaces.precision import policy_of, size_bytes
from search_spaces.quantised import SUFFIX, QuantisedSpace
from search_spaces.space import Genes, SearchSpace
from search_spaces.spaces import space

if TYPE_CHECKING:
    from experiments.stages.latency import TargetLatency
    from nas.data.splits import DataSplits
    from nas.evaluation import Evaluator
    from nas.search.objectives import Objective, Values
    from nas.search.search import HypervolumeBox
    from nas.training.step import Trainer

BASE: dict[str, Any] = {"form": "small_image", "resolutions": [14], "width_multipliers": [0.5, 1.0, 1.5]}
"""Settings of the space ``resnet``."""
SEARCHES: dict[str, tuple[str, ...]] = {
    "joint": ("int4_weights", "int8_weights", "int8", "fp32"),
    "int8": ("int8",),
    "architecture": ("fp32",),
}
TARGET = "cpu:fp32:b64:onnxruntime"
OBJECTIVES = ("accuracy", f"latency_ms@{TARGET}", "size_bytes")
NUM_BOX_NETWORKS = 2000
STEPS = {"digits": 400, "fashion_mnist": 1000}
IMAGES: dict[str, dict[str, Any]] = {
    "digits": {},
    "fashion_mnist": {"validation_fraction": 1 / 30, "calibration_images": 256},
}


def make_space(search: str, granularity: str = "block") -> SearchSpace:
    """Return the space of one of ``SEARCHES``; ``granularity`` as in ``QuantisationSettings``."""
    quantisation = {"precisions": SEARCHES[search], "granularity": granularity}
    return space("resnet", in_channels=1, num_classes=10, quantisation=quantisation, **BASE)


def as_joint(joint: SearchSpace, found: SearchSpace, genes: Genes) -> Genes:
    """Return rows of another of the spaces, whose blocks have one precision each, as rows of the joint one."""
    assert isinstance(joint, QuantisedSpace)
    architectures = []
    for architecture in found.decode(genes):
        policy = policy_of(found.blueprint(architecture))
        precisions = {
            name + SUFFIX: policy[slot.position] for name, slot in joint.slots.items() if slot.position in policy
        }
        values = {name: value for name, value in architecture.choices if name in joint.base.column}
        architectures.append(joint.architecture({**values, **precisions}))
    return joint.encode(architectures)


def learn_latency(journal: Journal, num: int, granularity: str = "block") -> TargetLatency:
    """Return the latency of the joint space, learnt from ``num`` networks timed here; those in the journal are kept."""
    from experiments.latency_choice import chosen_model, population_of, prior_of
    from experiments.stages.latency import TargetLatency, networks_to_measure
    from predictors.calibration import cpu_device
    from predictors.target import Device, target

    joint, key = make_space("joint", granularity), {"device": "cpu"}
    device = journal.get(key) or journal.add(key, cpu_device().model_dump(mode="json"))
    where = target(TARGET, cpu=Device.model_validate(device))
    genes = networks_to_measure(joint, 0, num)
    rows = [timed(journal, joint, architecture) for architecture in joint.decode(genes)]
    measured_ms = np.array([row["latency_ms"] for row in rows])
    analytic = TargetLatency(joint, where)
    choice = chosen_model(analytic, prior_of(analytic, population_of(joint, 0)), genes, measured_ms)
    return TargetLatency(joint, where, choice.model, genes, measured_ms, choice.reason)


def timed(journal: Journal, joint: SearchSpace, architecture: Architecture) -> Row:
    """Return the median processor time of one thread over a batch, which other work on the machine changes least."""
    from experiments.measuring import write_subject
    from experiments.subjects import network_subject
    from predictors.execution import onnx_run
    from predictors.stopwatch import wall_stopwatch
    from predictors.target import parse_target
    from predictors.timing import TimingPlan, time_callable

    key = {"timed": architecture.key}
    found = journal.get(key)
    if found is not None:
        return found
    subject = network_subject(architecture.key, joint.blueprint(architecture))
    shape = (parse_target(TARGET).batch_size, *subject.shape[1:])
    with tempfile.TemporaryDirectory() as folder:
        run = onnx_run(write_subject(subject, Path(folder) / "model.onnx"), shape, "onnxruntime", "cpu", num_threads=1)
        plan = TimingPlan(max_warmup_runs=20, min_runs=20, max_runs=50, budget_s=0.3)
        timing = time_callable(run, plan=plan, num_threads=1, stopwatch=wall_stopwatch(time.process_time_ns))
    return journal.add(key, {"latency_ms": timing.median_ms, "spread_ms": timing.spread_ms})


@dataclass
class Problem:
    """One data set and one seed: shared weights, trained when they are first needed, and what networks score with them.

    Attributes:
        source: of the data, a key of ``STEPS``.
        path: of its files.
        seed: of the weights, the training and the searches.
        journal: of what was evaluated.
        latency: of the joint space.
    """

    source: str
    path: str
    seed: int
    journal: Journal
    latency: TargetLatency

    @property
    def joint(self) -> SearchSpace:
        """The joint space."""
        return self.latency.space

    @cached_property
    def data(self) -> DataSplits:
        """The four splits, the same for every seed."""
        from nas.data.settings import DataSettings
        from nas.data.splits import load_data

        return load_data(DataSettings(source=self.source, path=self.path, **IMAGES[self.source]), seed=0)

    @cached_property
    def trainer(self) -> Trainer:
        """The trained supernetwork of the architectures."""
        from nas.data.settings import AugmentSettings
        from nas.training.settings import TrainingSettings
        from nas.training.step import Trainer
        from search_spaces.quantised import architecture_space
        from search_spaces.sharing import SharedWeights

        shared = SharedWeights(architecture_space(self.joint), self.seed)
        settings = TrainingSettings(sampler="sorted", networks_per_step=2, learning_rate=3e-3, batch_size=64)
        augmentation = AugmentSettings(horizontal_flip=self.source == "fashion_mnist")
        trainer = Trainer(shared, self.data, settings, augmentation, self.seed)
        trainer.num_steps = STEPS[self.source]
        for step in range(trainer.num_steps):
            trainer.step(step)
        return trainer

    @cached_property
    def evaluator(self) -> Evaluator:
        """What gives validation accuracies."""
        from nas.evaluation import Evaluator

        return Evaluator(self.trainer.shared, self.trainer.average, self.data, self.data.validation)

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """Accuracy, latency, size."""
        from nas.search.objectives import make_objective

        return tuple(map(make_objective, OBJECTIVES))

    def accuracy(self, architecture: Architecture) -> float:
        """Return the validation accuracy in percent of a network of the joint space."""
        key = {"source": self.source, "seed": self.seed, "network": architecture.key}
        found = self.journal.get(key)
        if found is None:
            accuracy = self.evaluator.score(self.joint.blueprint(architecture))
            found = self.journal.add(key, {"accuracy": accuracy})
        return float(found["accuracy"])

    def cheap(self, genes: Genes) -> Values:
        """Return (n, 3) of rows of the joint space, NaN for the accuracy."""
        latency_ms, _ = self.latency.predict(genes)
        num_bytes = self._size_bytes(genes)[:, 0].astype(np.float64)
        return np.column_stack([np.full(len(genes), np.nan), latency_ms, num_bytes])

    @cached_property
    def _size_bytes(self) -> PopulationTable:
        return PopulationTable(self.joint, lambda layers: (size_bytes(layers),))

    def evaluate(self, genes: Genes) -> Values:
        """Return (n, 3) with accuracies."""
        values = self.cheap(genes)
        values[:, 0] = [self.accuracy(architecture) for architecture in self.joint.decode(genes)]
        return values

    @cached_property
    def box(self) -> HypervolumeBox:
        """The box of all three searches: accuracy from the smallest float32 network's, costs over the joint space."""
        from nas.search.search import HypervolumeBox

        floats = make_space("architecture")
        floor = self.evaluate(as_joint(self.joint, floats, floats.encode([floats.smallest()])))[0, 0]
        ends = self.joint.encode([self.joint.smallest(), self.joint.largest()])
        drawn = self.joint.sample(np.random.default_rng(0), NUM_BOX_NETWORKS)
        costs = self.cheap(np.concatenate([ends, drawn]))[:, 1:]
        ideal, reference = costs.min(axis=0).tolist(), costs.max(axis=0).tolist()
        return HypervolumeBox(self.objectives, (100.0, *ideal), (min(floor, 99.0), *reference))


def search(problem: Problem, name: str, algorithm: str, evaluations: int) -> tuple[float, Genes, NDArray[np.float64]]:
    """Return (hypervolume share, front as rows of the joint space, its values) of one of ``SEARCHES``."""
    from nas.search.algorithm import algorithms
    from nas.search.search import run_search

    joint = problem.joint
    found = joint if name == "joint" else make_space(name)
    kind = algorithms.get(algorithm)

    def same(genes: Genes) -> Genes:
        return genes if name == "joint" else as_joint(joint, found, genes)

    result = run_search(
        kind(found, problem.objectives, kind.Settings(), problem.seed),
        lambda genes: problem.evaluate(same(genes)),
        evaluations,
        problem.box,
        evaluate_cheap=lambda genes: problem.cheap(same(genes)),
    )
    return result.hypervolumes[-1][1], same(result.genes[result.front]), result.values[result.front]
