from __future__ import annotations

import pytest
import torch

from nas.training.distillation import distillations
from nas.training.losses import Outputs
from search_spaces.errors import UsageError

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = torch.randn(2, 6, 4, generator=GENERATOR)
LABELS = torch.zeros(6, dtype=torch.int64)


def gradient(loss, logits: torch.Tensor) -> torch.Tensor:
    logits = logits.clone().requires_grad_()
    loss(logits).backward()
    return logits.grad


def test_it_is_zero_for_the_teachers_own_classes_and_positive_otherwise() -> None:
    loss = distillations.get("kl")()
    assert loss(Outputs(TEACHER + 3, LABELS, teacher_logits=TEACHER)) == pytest.approx(0, abs=1e-6)
    assert loss(Outputs(STUDENT, LABELS, teacher_logits=TEACHER)) > 0.1


def test_the_gradient_is_that_of_the_cross_entropy_with_soft_labels() -> None:
    soft = TEACHER.softmax(1)
    of_kl = gradient(lambda z: distillations.get("kl")()(Outputs(z, LABELS, teacher_logits=TEACHER)), STUDENT)
    of_soft = gradient(lambda z: torch.nn.functional.cross_entropy(z, soft), STUDENT)
    assert torch.allclose(of_kl, of_soft, atol=1e-7)


def test_temperature_softens_both_and_keeps_the_size_of_the_gradient() -> None:
    loss = distillations.get("kl")(temperature=2)
    p, q = (TEACHER / 2).log_softmax(1), (STUDENT / 2).log_softmax(1)
    expected = 4 * (p.exp() * (p - q)).sum(1).mean()
    assert loss(Outputs(STUDENT, LABELS, teacher_logits=TEACHER)) == pytest.approx(expected)


def test_bad_temperature_is_named() -> None:
    with pytest.raises(UsageError, match=r"distillation 'kl', setting 'temperature' got 0: .* greater than 0"):
        distillations.get("kl")(temperature=0)
