from __future__ import annotations

import pytest
import torch

from nas.training.guards import collapse, not_finite

CHANCE, NUM_IMAGES = 10.0, 1000


def points(losses, accuracies):
    return [
        {"loss": loss, "validation_accuracy": {"smallest": accuracy / 2, "largest": accuracy}}
        for loss, accuracy in zip(losses, accuracies, strict=True)
    ]


def found(losses, accuracies=None) -> str | None:
    return collapse(points(losses, accuracies or [50.0] * len(losses)), CHANCE, NUM_IMAGES)


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
        message = "the best of three networks is 10.5 % accurate, as guessing is, after 40.0 %"
        assert found([2.3, 2.2, 2.2], [12.0, 40.0, 10.5]) == message

    @pytest.mark.parametrize(
        "accuracies", [[10.0, 10.0, 10.0], [9.0, 14.0, 10.0], [9.0, 60.0, 13.0], [10.0, 20.0, 60.0]]
    )
    def test_otherwise_not(self, accuracies) -> None:
        assert found([2.3, 2.2, 2.2], accuracies) is None
