from __future__ import annotations

import torch

from search_spaces.layers import total
from search_spaces.mixers.dual_attention import DualAttention
from search_spaces.mixers.place import Place
from search_spaces.testing_blocks import fill


def test_the_cost_is_linear_in_the_cells() -> None:
    small, large = (total(DualAttention.layers(Place(16, size), 0)) for size in ((4, 4), (8, 16)))
    assert large.macs == 8 * small.macs
    assert large.params == small.params


def test_both_attentions_by_hand() -> None:
    module = DualAttention(Place(8, (2, 3), head_dim=4)).double()
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        q, k, v = module.qkv(x)[0].view(3, 2, 4, 6)
        spatial = torch.stack([(q[h].softmax(0).T @ (k[h].softmax(1) @ v[h].T)).T for h in range(2)])
        unit_q, unit_k = q / q.norm(dim=-1, keepdim=True), k / k.norm(dim=-1, keepdim=True)
        channel = torch.stack([(unit_q[h] @ unit_k[h].T).softmax(-1) @ v[h] for h in range(2)])
        expected = module.projection((spatial + channel).reshape(1, 8, 2, 3))
        torch.testing.assert_close(module(x), expected)
