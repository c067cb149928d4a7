from __future__ import annotations

import pytest
import torch

from nas.training.distillation.squared_error import SquaredError
from nas.training.losses import Outputs


def test_it_is_the_mean_square_from_the_teacher_alone() -> None:
    student, teacher = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])
    assert SquaredError()(Outputs(student, torch.tensor([0]), teacher_logits=teacher)) == pytest.approx(2.0)
