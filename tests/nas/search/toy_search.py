"""A toy space with conditional knobs, and closed-form objectives on it, for the tests of search."""

from __future__ import annotations

import sys

import numpy as np

from nas.search.algorithm import algorithms
from nas.search.objectives import ObjectiveConfig, make_objectives
from nas.search.search import HypervolumeBox, run_search
from search_spaces.knobs import Knob
from search_spaces.space import SearchSpace, SpaceSettings


class ToySettings(SpaceSettings):
    num_blocks: int = 4


class ToySpace(SearchSpace):
    name = "toy"
    Settings = ToySettings
    settings: ToySettings

    def make_knobs(self):
        depths = tuple(range(1, self.settings.num_blocks + 1))
        knobs = [
            Knob("depth", depths),
            Knob("width", (16, 24, 32, 48, 64)),
            Knob("operator", ("conv", "pool", "attention"), ordered=False),
        ]
        for block in depths:
            condition = {"parent": "depth", "parent_values": depths[block - 1 :]} if block > 1 else {}
            knobs += [Knob(f"block{block}.kernel", (3, 5, 7), **condition)]
            knobs += [Knob(f"block{block}.expansion", (2, 3, 4, 6), **condition)]
        return knobs

    def blueprint(self, architecture):
        raise NotImplementedError

    def position_knobs(self):
        return {}


OBJECTIVES = make_objectives([ObjectiveConfig(name="accuracy"), ObjectiveConfig(name="latency_ms@toy")])
BOX = HypervolumeBox(OBJECTIVES, ideal=(100.0, 0.0), reference=(40.0, 60.0))


def toy_space(num_blocks: int = 4) -> ToySpace:
    return ToySpace(ToySettings(num_blocks=num_blocks))


def toy_values(space, genes, table: int = 0):
    """Accuracy in % with saturation and interactions between knobs, latency in ms as a sum over blocks."""
    rng = np.random.default_rng(table)
    gain, cost = rng.uniform(0.3, 1.0, size=(2, len(space.knobs), 5))
    pair = rng.uniform(0.0, 0.6, size=(len(space.knobs), len(space.knobs)))
    active, index = genes >= 0, np.maximum(genes, 0)
    columns = np.arange(len(space.knobs))
    level = np.where(active, (index + 1) / space.num_choices, 0.0)
    quality = (level * gain[columns, index]).sum(axis=1) + np.einsum("ni,ij,nj->n", level, pair, 1.0 - level) / 4
    latency = (level**1.5 * cost[columns, index]).sum(axis=1) * (1.0 + level[:, 1])
    return np.stack([100.0 * (1.0 - np.exp(-quality / 1.5)), 5.0 * latency], axis=1)


def toy_algorithm(name, space, seed=0, objectives=OBJECTIVES, **settings):
    kind = algorithms.get(name)
    if name == "linas":
        settings = {"inner_evaluations": 100, "population_size": 12, **settings}
    return kind(space, objectives, kind.Settings(**settings), seed)


def main() -> None:
    """Search and write the result's bytes: the same command must give the same bytes in any process."""
    np.random.seed(int(sys.argv[2]))
    space = toy_space()
    algorithm = toy_algorithm(sys.argv[1], space, seed=7)
    result = run_search(algorithm, lambda genes: toy_values(space, genes), 80, BOX)
    sys.stdout.buffer.write(result.genes.tobytes() + result.values.tobytes() + result.front.tobytes())


if __name__ == "__main__":
    main()
