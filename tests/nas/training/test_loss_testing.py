from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from nas.training.distillation import distillations
from nas.training.loss_testing import check_loss
from nas.training.losses import Outputs, losses, make_loss


@pytest.fixture
def settings_of(tmp_path) -> dict[str, dict[str, object]]:
    """What a loss can't be made without."""
    path = tmp_path / "confusion.csv"
    path.write_text("5,1,0,0\n1,5,0,0\n0,0,5,1\n0,0,1,5\n")
    return {"confusable": {"matrix": str(path)}}


@pytest.mark.parametrize("name", losses.names())
def test_every_loss_keeps_the_contract(name, settings_of) -> None:
    check_loss(lambda: make_loss(name, 0.1, settings_of.get(name)))


@pytest.mark.parametrize("name", distillations.names())
def test_every_distillation_keeps_the_contract(name) -> None:
    assert "teacher" in distillations.get(name).needs
    check_loss(distillations.get(name))


class Fine:
    needs = frozenset()

    def __init__(self, **settings: object) -> None:
        pass

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        pass

    def __call__(self, outputs: Outputs) -> torch.Tensor:
        return outputs.logits.square().mean()


def test_a_loss_of_your_own_is_checked() -> None:
    check_loss(Fine)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda outputs: outputs.logits.square().mean(dim=1), r"shape \(6,\): give a scalar"),
        (lambda outputs: outputs.logits.mean() / 0, "the loss is "),
        (lambda outputs: (outputs.logits * 0).sum(), "the network gets no gradient"),
        (lambda outputs: (outputs.logits * torch.rand(())).sum(), "it gave another value"),
    ],
)
def test_what_breaks_the_contract_is_said(broken, message) -> None:
    class Broken(Fine):
        def __call__(self, outputs: Outputs) -> torch.Tensor:
            return broken(outputs)

    with pytest.raises(AssertionError, match=message):
        check_loss(Broken)


def test_unknown_needs_are_said() -> None:
    class Broken(Fine):
        needs = frozenset({"weather"})

    with pytest.raises(AssertionError, match=r"needs is {'weather'}: allowed are 'teacher' and 'features'"):
        check_loss(Broken)
