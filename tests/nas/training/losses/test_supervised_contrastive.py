from __future__ import annotations

import pytest
import torch

from nas.training.losses import Outputs
from nas.training.losses.supervised_contrastive import SupervisedContrastive


def vectors(num: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(num, 3, generator=torch.Generator().manual_seed(0)), dim=1)


def test_the_definition() -> None:
    z, labels, temperature = vectors(5), [0, 1, 0, 0, 2], 0.2
    terms = []
    for i in range(5):
        positive = [p for p in range(5) if p != i and labels[p] == labels[i]]
        if positive:
            total = sum(float((z[i] @ z[a] / temperature).exp()) for a in range(5) if a != i)
            shares = [float((z[i] @ z[p] / temperature).exp()) / total for p in positive]
            terms.append(-sum(torch.tensor(share).log().item() for share in shares) / len(positive))
    found = SupervisedContrastive(temperature=temperature)(Outputs(z, torch.tensor(labels)))
    assert found == pytest.approx(sum(terms) / len(terms), rel=1e-5)


def test_a_batch_without_pairs_costs_nothing_and_gives_a_finite_gradient() -> None:
    z = vectors(4).requires_grad_()
    loss = SupervisedContrastive()(Outputs(z, torch.arange(4)))
    assert float(loss.detach()) == 0
    (gradient,) = torch.autograd.grad(loss, z)
    assert bool(gradient.isfinite().all())
