from __future__ import annotations

import pytest
import torch

from nas.training.distillation.projector import CrossAttentionProjector, as_tokens
from search_spaces.errors import UsageError


@pytest.fixture
def projector() -> CrossAttentionProjector:
    torch.manual_seed(0)
    return CrossAttentionProjector(in_width=12, in_size=(4, 4), num_tokens=10, out_width=16, num_heads=4)


@pytest.mark.parametrize("shape", [(2, 12, 4, 4), (2, 5, 3, 2), (2, 1, 1, 1), (2, 9, 12), (2, 7)])
def test_any_student_becomes_the_teachers_tokens(projector, shape) -> None:
    assert projector(torch.randn(shape)).shape == (2, 10, 16)


def test_a_narrow_student_uses_the_leading_columns(projector) -> None:
    narrow = torch.randn(2, 5, 4, 4)
    wide = torch.cat([narrow, torch.zeros(2, 7, 4, 4)], dim=1)
    assert torch.allclose(projector(narrow), projector(wide), atol=1e-6)
    projector(narrow).square().sum().backward()
    gradient = projector.embed.weight.grad
    assert bool(gradient[:, :5].any())
    assert not gradient[:, 5:].any()


def test_positions_tell_where_a_feature_is(projector) -> None:
    torch.nn.init.normal_(projector.positions)
    here = torch.randn(1, 12, 4, 4)
    assert not torch.allclose(projector(here), projector(here.flip(3)), atol=1e-4)
    tokens = as_tokens(here)
    assert torch.allclose(projector(tokens), projector(tokens.flip(1)), atol=1e-5), "tokens carry their own"


def test_heads_divide_the_width() -> None:
    with pytest.raises(UsageError, match="num_heads got 5 for a teacher of 16 channels: give a divisor of 16"):
        CrossAttentionProjector(12, None, 10, 16, 5)
