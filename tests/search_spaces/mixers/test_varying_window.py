from __future__ import annotations

import pytest
import torch

from search_spaces.layers import total
from search_spaces.mixers.place import Place
from search_spaces.mixers.varying_window import VaryingWindow, contexts
from search_spaces.testing_blocks import fill
from search_spaces.windows import from_near_windows, near_windows

PLACE = Place(16, (8, 8), window=4)


def filled(ratio: int) -> VaryingWindow:
    module = VaryingWindow(PLACE, ratio).double()
    fill(module, torch.Generator().manual_seed(0))
    return module


def test_the_cost_is_that_of_plain_windows_for_every_ratio() -> None:
    costs = [total(VaryingWindow.layers(PLACE, 0, ratio)) for ratio in (1, 2, 4, 8)]
    assert len({(cost.params, cost.macs, cost.activations) for cost in costs}) == 1


def test_a_ratio_of_1_is_plain_window_attention() -> None:
    module, x = filled(1), torch.randn(2, 16, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        tokens = near_windows(x.permute(0, 2, 3, 1), 4)
        parts = (module.query(tokens), *module.keys_values(tokens).chunk(2, -1))
        q, k, v = (part.reshape(-1, 16, 2, 8).transpose(1, 2) for part in parts)
        attended = ((q @ k.transpose(-1, -2) / 8**0.5).softmax(-1) @ v).transpose(1, 2).reshape(-1, 16, 16)
        expected = from_near_windows(module.projection(attended), 4, (8, 8)).permute(0, 3, 1, 2)
        torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("ratio", [2, 3])
def test_a_context_is_the_mean_of_what_surrounds_its_window(ratio: int) -> None:
    """A map of ones: 1 inside, less where the context reaches over the border; every window has its own."""
    found = contexts(torch.ones(1, 8, 8, 3), 2, ratio)
    assert found.shape == (16, 4, 3)
    inner = found.view(4, 4, 4, 3)[1:3, 1:3]
    assert (inner == 1).all()
    assert found.view(4, 4, 4, 3)[0, 0].min() < 1


def test_a_context_by_hand() -> None:
    x = torch.arange(16.0).view(1, 4, 4, 1)
    found = contexts(x, 2, 2)[:, :, 0]
    padded = torch.nn.functional.pad(x[..., 0], (1, 1, 1, 1))[0]
    first = torch.tensor([padded[i : i + 2, j : j + 2].mean() for i in (0, 2) for j in (0, 2)])
    assert torch.equal(found[0], first)


def test_a_window_sees_beyond_itself() -> None:
    x = torch.zeros(1, 16, 8, 8, dtype=torch.float64)
    moved = x.clone()
    moved[..., 4, 4] = 1
    changed = {}
    for ratio in (1, 2):
        with torch.no_grad():
            changed[ratio] = (filled(ratio)(moved) - filled(ratio)(x)).abs().sum(1)[0, :4, :4].max()
    assert changed[1] == 0
    assert changed[2] > 0
