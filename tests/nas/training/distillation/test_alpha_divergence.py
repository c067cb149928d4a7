from __future__ import annotations

import pytest
import torch

from nas.training.distillation import distillations
from nas.training.distillation.alpha_divergence import alpha_divergence
from nas.training.losses import Outputs
from search_spaces.errors import UsageError

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = torch.randn(2, 7, 4, generator=GENERATOR)
UNCLIPPED = 1e6


def true_divergence(student: torch.Tensor, teacher: torch.Tensor, alpha: float) -> torch.Tensor:
    """D_alpha by its definition, in double precision, with ordinary gradients."""
    q, p = student.double().softmax(1), teacher.double().softmax(1)
    return ((p / q) ** alpha * q - q).sum(1) / (alpha * (alpha - 1))


@pytest.mark.parametrize("alpha", [-1.0, -0.5, 0.3, 0.5, 2.0])
def test_value_and_gradient_are_those_of_the_divergence_where_nothing_is_clipped(alpha) -> None:
    student = STUDENT.clone().requires_grad_()
    alpha_divergence(student, TEACHER, alpha, UNCLIPPED).sum().backward()
    exact = STUDENT.clone().requires_grad_()
    expected = true_divergence(exact, TEACHER, alpha)
    expected.sum().backward()
    assert torch.allclose(alpha_divergence(STUDENT, TEACHER, alpha, UNCLIPPED).double(), expected, atol=1e-5)
    assert torch.allclose(student.grad, exact.grad, atol=1e-5, rtol=1e-4)


def test_the_gradient_is_the_numerical_one() -> None:
    student, step = STUDENT[:1].clone().requires_grad_(), 1e-4
    alpha_divergence(student, TEACHER[:1], -1.0, UNCLIPPED).sum().backward()
    for place in range(4):
        moved = torch.zeros(1, 4, dtype=torch.float64)
        moved[0, place] = step
        ends = [true_divergence(STUDENT[:1] + sign * moved, TEACHER[:1], -1.0) for sign in (1, -1)]
        assert student.grad[0, place] == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 1.0001, 0.9999])
def test_at_one_it_is_kl_of_teacher_and_student(alpha) -> None:
    p, q = TEACHER.log_softmax(1), STUDENT.log_softmax(1)
    expected = (p.exp() * (p - q)).sum(1)
    assert torch.allclose(alpha_divergence(STUDENT, TEACHER, alpha, UNCLIPPED), expected, atol=5e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.0001, -0.0001])
def test_at_zero_it_is_kl_of_student_and_teacher(alpha) -> None:
    p, q = TEACHER.log_softmax(1), STUDENT.log_softmax(1)
    student = STUDENT.clone().requires_grad_()
    found = alpha_divergence(student, TEACHER, alpha, UNCLIPPED)
    assert torch.allclose(found, (q.exp() * (q - p)).sum(1), atol=5e-3)
    found.sum().backward()
    exact = STUDENT.clone().requires_grad_()
    log_exact = exact.log_softmax(1)
    (log_exact.exp() * (log_exact - p)).sum().backward()
    assert torch.allclose(student.grad, exact.grad, atol=1e-3)


def test_each_image_learns_by_the_larger_divergence() -> None:
    """The first student overrates the second class, which takes the negative alpha; the second underrates it."""
    students = torch.tensor([[0.7, 0.3], [0.98, 0.02]]).log().requires_grad_()
    teachers = torch.tensor([[0.98, 0.02], [0.7, 0.3]]).log()
    negative, positive = (alpha_divergence(students, teachers, alpha, 5.0) for alpha in (-1.0, 1.0))
    assert negative[0] > positive[0]
    assert negative[1] < positive[1]
    loss = distillations.get("alpha_divergence")()(Outputs(students, torch.zeros(2), teacher_logits=teachers))
    assert torch.allclose(loss, (negative[0] + positive[1]) / 2)
    loss.backward()
    assert float(students.grad[0, 1]) > 0 > float(students.grad[1, 1]), "down where overrated, up where underrated"


@pytest.mark.parametrize("size", [50.0, 1000.0])
def test_far_outputs_give_finite_gradients_that_pull_to_the_teacher(size) -> None:
    student = torch.tensor([[size, 0.0], [-size, 0.0]]).requires_grad_()
    teacher = torch.tensor([[-size, 0.0], [size, 0.0]])
    loss = distillations.get("alpha_divergence")()(Outputs(student, torch.zeros(2), teacher_logits=teacher))
    loss.backward()
    assert bool(loss.isfinite())
    assert bool(student.grad.isfinite().all())
    assert float(student.grad[1, 0]) < 0
    assert float(student.grad.abs().max()) <= 5.0


def test_bad_settings_are_named() -> None:
    with pytest.raises(UsageError, match=r"distillation 'alpha_divergence', setting 'clip' got 0.5"):
        distillations.get("alpha_divergence")(clip=0.5)
