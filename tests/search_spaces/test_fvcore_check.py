from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost, fvcore_totals
from search_spaces.spaces import space

FORMS = [
    ("ofa_mobilenet", {"resolutions": (64, 97)}),
    ("ofa_mobilenet", {"form": "small_image", "resolutions": (9, 16), "in_channels": 1}),
    ("autoformer", {"resolution": 32}),
    ("autoformer", {"form": "small_image"}),
    ("autoformer", {"form": "small_image", "relative": False}),
]


@pytest.mark.parametrize(("name", "settings"), FORMS)
def test_the_fvcore_rule_gives_fvcores_own_totals(name: str, settings: dict[str, object]) -> None:
    found = space(name, **settings)
    for architecture in found.decode(found.sample(np.random.default_rng(2), 4)):
        blueprint = found.blueprint(architecture)
        closed = cost(blueprint, "fvcore")
        assert (closed.params, closed.macs, closed.activations) == fvcore_cost(blueprint)


class FusedAttention(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(x[:, :, :5], x, x[..., :3])


def test_both_products_of_fused_attention_are_counted() -> None:
    heads, queries, keys, head_dim, value_dim = 4, 5, 7, 8, 3
    counted = fvcore_totals(FusedAttention(), torch.zeros(1, heads, keys, head_dim))
    assert counted == (0, heads * queries * keys * (head_dim + value_dim), heads * queries * (keys + value_dim))


def test_without_fvcore_the_error_gives_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fvcore.nn", None)
    with pytest.raises(UsageError, match=r"fvcore is not installed: run pip install 'nas\[fvcore\]'"):
        fvcore_totals(nn.Linear(2, 2), torch.zeros(1, 2))
