from __future__ import annotations

import csv
import io

import pytest
from toy_training import convolutions, images, trainer, transformers

from nas.evaluation import Evaluator
from nas.tasks.classification import Classification
from nas.training.curves import Curves, complexity_groups, curves_csv, landmarks
from search_spaces.block import cost

METRIC = Classification.metric


class TestGroups:
    @pytest.mark.parametrize("make", [convolutions, transformers])
    def test_four_of_rising_cost_with_networks_of_that_cost(self, make) -> None:
        groups = complexity_groups(make(), seed=3)
        assert len(groups) == 4
        for group in groups:
            assert group.networks
            for network in group.networks:
                assert group.least_macs <= cost(network).macs <= group.most_macs
        bounds = [bound for group in groups for bound in (group.least_macs, group.most_macs)]
        assert bounds == sorted(bounds)
        assert bounds[0] == cost(make().blueprint(make().smallest())).macs
        assert bounds[-1] == cost(make().blueprint(make().largest())).macs

    def test_they_are_a_function_of_the_seed(self) -> None:
        made = convolutions()
        assert complexity_groups(made, 3) == complexity_groups(made, 3)
        assert complexity_groups(made, 3) != complexity_groups(made, 4)


def point(step: int, rollbacks=()):
    groups = [{"least_macs": 10 * g, "most_macs": 10 * g + 9, "percent": 50.0 + g} for g in range(4)]
    return {
        "step": step,
        "network_images": 16 * step,
        "loss": 2.0 / step,
        "learning_rate": 0.01,
        "validation_accuracy": {"smallest": 40.0, "middle": 50.5, "largest": 60.0},
        "group_accuracy": groups,
        "rollbacks": list(rollbacks),
    }


def test_a_point_holds_the_accuracy_of_every_landmark_and_group() -> None:
    made, data = trainer(transformers()), images()
    evaluator = Evaluator(made.shared, made.average, data, data.validation)
    found = Curves(made.shared.space, evaluator, METRIC, seed=3).scores()
    space = made.shared.space
    for name, architecture in landmarks(space).items():
        assert found["validation_accuracy"][name] == evaluator.score(space.blueprint(architecture))
    groups = complexity_groups(space, 3)
    for group, told in zip(groups, found["group_accuracy"], strict=True):
        accuracies = [evaluator.score(network) for network in group.networks]
        assert told["percent"] == pytest.approx(sum(accuracies) / len(accuracies))
        assert (told["least_macs"], told["most_macs"]) == (group.least_macs, group.most_macs)


def test_csv_has_a_row_a_point_and_a_column_a_network_and_group() -> None:
    text = curves_csv([point(1), point(2, ["step 3: lost: back", "again, and again"])], METRIC)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert rows[0]["loss"] == "2.0"
    assert rows[1]["accuracy_middle"] == "50.5"
    assert rows[1]["accuracy_macs_30_to_39"] == "53.0"
    assert [row["rollbacks"] for row in rows] == ["", "step 3: lost: back; again, and again"]
