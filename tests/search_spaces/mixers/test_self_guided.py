from __future__ import annotations

import torch

from search_spaces.block import module_of
from search_spaces.building import initialise, parameter_owners
from search_spaces.mixers.place import Place
from search_spaces.mixers.self_guided import ChannelSelfAttention, SelfGuided
from search_spaces.testing_blocks import fill
from search_spaces.testing_mixers import placed_mixer


def test_the_block_starts_as_the_identity() -> None:
    """Both gammas start at zero."""
    block = module_of(placed_mixer("self_guided", 16, (4, 4)))
    owners = dict(parameter_owners(block))
    for name, tensor in block.named_parameters():
        initialise(owners[name], name, tensor, 0)
    x = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)


def test_position_attention_by_hand() -> None:
    module = SelfGuided(Place(8, (2, 3))).double()
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        module.channel.weight.zero_()
        cells = x[0].flatten(1).T
        q, k, v = module.queries(cells), module.keys(cells), module.values(cells)
        scores = torch.tensor([[float(q[i] @ k[j]) for j in range(6)] for i in range(6)], dtype=torch.float64)
        expected = (module.position.weight * (scores.softmax(1) @ v)).T.view(8, 2, 3)
        torch.testing.assert_close(module(x)[0], expected)


def test_channels_attend_most_to_those_least_like_them() -> None:
    """The scores are max(G) - G (Fu et al. 2019, their implementation)."""
    module = ChannelSelfAttention(2)
    with torch.no_grad():
        module.weight.fill_(1.0)
        x = torch.tensor([[[3.0, 0.0], [0.0, 1.0]]])
        out = module(x)
    torch.testing.assert_close(out[0, 0, 0], torch.tensor(3.0) * torch.sigmoid(torch.tensor(-9.0)))
