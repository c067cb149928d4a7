from __future__ import annotations

import pytest
import torch

from nas.data.splits import ImageSet
from nas.tasks import make_task
from nas.tasks.classification import Classification
from nas.training.guards import Chance, chance_of, collapse, not_finite

CHANCE = Chance(10.0, (10.0 * 90.0 / 1000) ** 0.5)
"""Of ten classes, on a thousand images."""


def points(losses, accuracies):
    return [
        {"loss": loss, "validation_accuracy": {"smallest": accuracy / 2, "largest": accuracy}}
        for loss, accuracy in zip(losses, accuracies, strict=True)
    ]


def found(losses, accuracies=None) -> str | None:
    return collapse(points(losses, accuracies or [50.0] * len(losses)), Classification.metric, CHANCE)


class TestNotFinite:
    def test_all_is_well(self) -> None:
        assert not_finite(1.0, {"a": torch.ones(3)}) is None

    @pytest.mark.parametrize("loss", [float("nan"), float("inf")])
    def test_the_loss(self, loss) -> None:
        assert not_finite(loss, {"a": torch.ones(3)}) == f"the loss is {loss}"

    def test_a_tensor_by_name(self) -> None:
        assert not_finite(1.0, {"a": torch.ones(3), "b": torch.tensor([0, float("nan")])}) == "b is not finite"


class TestLoss:
    def test_back_at_the_start_after_having_fallen(self) -> None:
        assert found([2.3, 1.5, 1.0, 2.4]) == "the loss is back at 2.4, of 2.3 at the start"
        assert found([2.3, 1.5, 2.3]) is not None

    @pytest.mark.parametrize("losses", [[2.3], [2.3, 2.4], [2.3, 2.2, 2.5], [2.3, 1.0, 2.2], [2.3, 1.0, 0.5]])
    def test_otherwise_not(self, losses) -> None:
        assert found(losses) is None


class TestAccuracy:
    def test_as_bad_as_guessing_after_having_been_better(self) -> None:
        message = "the best of three networks has accuracy 10.5 %, as guessing has, after accuracy 40.0 %"
        assert found([2.3, 2.2, 2.2], [12.0, 40.0, 10.5]) == message

    @pytest.mark.parametrize(
        "accuracies", [[10.0, 10.0, 10.0], [9.0, 14.0, 10.0], [9.0, 60.0, 13.0], [10.0, 20.0, 60.0]]
    )
    def test_otherwise_not(self, accuracies) -> None:
        assert found([2.3, 2.2, 2.2], accuracies) is None

    def test_where_less_is_better(self) -> None:
        metric = make_task("counting").metric

        def points_of(*scores: float) -> list[dict[str, object]]:
            return [{"loss": 2.0, "validation_count_mae": {"smallest": score}} for score in scores]

        message = "the best of three networks has mean absolute error of the count 5.1 objects, as guessing has, after"
        assert (collapse(points_of(5.0, 2.0, 5.1), metric, Chance(5.0, 0.2)) or "").startswith(message)
        assert collapse(points_of(5.0, 2.0, 2.5), metric, Chance(5.0, 0.2)) is None
        assert collapse(points_of(5.0, 4.5, 5.1), metric, Chance(5.0, 0.2)) is None


def test_chance_is_that_of_the_commonest_class() -> None:
    labels = torch.tensor([0, 1, 1, 1, 2, 0, 1, 2])
    chance = chance_of(Classification(), ImageSet(torch.zeros(8, 1, 4, 4, dtype=torch.uint8), labels))
    assert chance == Chance(50.0, pytest.approx((50 * 50 / 8) ** 0.5))
