from __future__ import annotations

import pytest
import torch

from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total
from search_spaces.norm_names import NORM_NAMES
from search_spaces.norms import norm_layers, norm_module

every_norm = pytest.mark.parametrize("kind", NORM_NAMES)


@every_norm
def test_the_closed_form_is_fvcores_count(kind: str) -> None:
    norm = norm_module(kind, 16)
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.fill_(1.0)
    found = total(norm_layers(kind, 16, (3, 5)), "fvcore")
    assert (found.params, found.macs, found.activations) == fvcore_totals(norm, torch.zeros(1, 16, 3, 5))


@every_norm
def test_every_norm_has_as_many_parameters(kind: str) -> None:
    assert total(norm_layers(kind, 24, (3, 5))).params == 48


def test_only_two_norms_have_running_statistics() -> None:
    assert [kind for kind in NORM_NAMES if list(norm_module(kind, 8).buffers())] == ["bn", "ibn"]


@pytest.mark.parametrize("kind", ["gn", "ln"])
def test_norms_within_an_image_answer_each_image_alone(kind: str) -> None:
    norm, x = norm_module(kind, 16), torch.randn(3, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(norm(x)[1:2], norm(x[1:2]))


def test_what_a_norm_can_not_take() -> None:
    with pytest.raises(UsageError, match="norm 'gn' got width 12: allowed: multiples of 8"):
        norm_module("gn", 12)
    with pytest.raises(UsageError, match="unknown norm 'ibm': did you mean 'ibn'"):
        norm_module("ibm", 8)
    for kind in ("in", "ibn"):
        with pytest.raises(UsageError, match=f"norm '{kind}' got a map of one cell"):
            norm_layers(kind, 8, (1, 1))
