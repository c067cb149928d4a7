"""The curves of training: one point an interval, with scores of networks from the smallest to the largest."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from nas.evaluation import Evaluator
from nas.search.population import sample_spread
from nas.tasks import Metric
from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.population import PopulationCost
from search_spaces.space import SearchSpace

Point = Mapping[str, Any]

NUM_GROUPS = 4
NETWORKS_A_GROUP = 2
NUM_SAMPLED = 256


@dataclass(frozen=True)
class Group:
    """Networks of similar cost.

    Attributes:
        least_macs, most_macs: of the networks that it stands for.
        networks: a few of them, the same throughout a training.
    """

    least_macs: int
    most_macs: int
    networks: tuple[Blueprint, ...]


def landmarks(space: SearchSpace) -> dict[str, Architecture]:
    """Return the smallest, the middle and the largest network."""
    middle = space.decode((space.num_choices[None] - 1) // 2)[0]
    return {"smallest": space.smallest(), "middle": middle, "largest": space.largest()}


def complexity_groups(space: SearchSpace, seed: int) -> list[Group]:
    """Return four groups of networks by MACs, least first: quarters of a sample that is spread over the space."""
    rng = np.random.default_rng(seed)
    genes = sample_spread(space, rng, NUM_SAMPLED)
    macs = PopulationCost(space).counts(genes)[:, 1]
    groups = []
    for rows in np.array_split(np.argsort(macs, kind="stable"), NUM_GROUPS):
        chosen = space.decode(genes[rng.choice(rows, NETWORKS_A_GROUP, replace=False)])
        networks = tuple(space.blueprint(each) for each in chosen)
        groups.append(Group(int(macs[rows[0]]), int(macs[rows[-1]]), networks))
    return groups


class Curves:
    """Measures the scores of a point: the metric of the task.

    Args:
        space: its landmarks and groups are evaluated.
        evaluator: on validation images.
        metric: of the task.
        seed: of the groups.
    """

    def __init__(self, space: SearchSpace, evaluator: Evaluator, metric: Metric, seed: int) -> None:
        self._evaluator, self._metric = evaluator, metric
        self._landmarks = {name: space.blueprint(each) for name, each in landmarks(space).items()}
        self._groups = complexity_groups(space, seed)

    def scores(self) -> dict[str, Any]:
        """Return the metric on validation images: of the landmarks, and the mean of each group."""
        score = cache(self._evaluator.score)
        return {
            f"validation_{self._metric.name}": {name: score(each) for name, each in self._landmarks.items()},
            f"group_{self._metric.name}": [
                {
                    "least_macs": group.least_macs,
                    "most_macs": group.most_macs,
                    value_key(self._metric): float(np.mean([score(each) for each in group.networks])),
                }
                for group in self._groups
            ],
        }


def value_key(metric: Metric) -> str:
    """Return how a group's value is called: by its unit where that is no part of the metric's name."""
    return "percent" if metric.unit == "%" else metric.name


def landmark_scores(point: Point) -> dict[str, float]:
    """Return the metric of each landmark in a point."""
    return next(dict(value) for name, value in point.items() if name.startswith("validation_"))


def curves_csv(points: Sequence[Point], metric: Metric) -> str:
    """Return the curves as CSV: a row a point, the metric in its unit, groups by their range of MACs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    first, groups = points[0], f"group_{metric.name}"
    writer.writerow(
        [
            "step",
            "network_images",
            "loss",
            "learning_rate",
            *(f"{metric.name}_{name}" for name in landmark_scores(first)),
            *(f"{metric.name}_macs_{each['least_macs']}_to_{each['most_macs']}" for each in first[groups]),
            "rollbacks",
        ]
    )
    for point in points:
        writer.writerow(
            [
                point["step"],
                point["network_images"],
                point["loss"],
                point["learning_rate"],
                *landmark_scores(point).values(),
                *(each[value_key(metric)] for each in point[groups]),
                "; ".join(point["rollbacks"]),
            ]
        )
    return text.getvalue()
