from __future__ import annotations

import pytest
import torch

from search_spaces.block import module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("pooling", ["adaptive", "mean"])
def test_nested_and_counted(pooling: str, norm_first: bool) -> None:
    small, large = (
        place("layer_norm_head", width, 5, (3, 4), pooling=pooling, norm_first=norm_first) for width in (6, 11)
    )
    check_block(small, large)


@pytest.mark.parametrize("norm_first", [False, True])
def test_both_poolings_are_one_average(norm_first: bool) -> None:
    x = torch.randn(2, 6, 3, 4, generator=torch.Generator().manual_seed(0))
    heads = [
        module_of(place("layer_norm_head", 6, 3, (3, 4), pooling=pooling, norm_first=norm_first))
        for pooling in ("adaptive", "mean")
    ]
    heads[1].load_state_dict(heads[0].state_dict())
    torch.testing.assert_close(heads[0](x), heads[1](x))


def test_an_unknown_pooling_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"unknown pooling 'max': .*allowed: adaptive, mean"):
        module_of(place("layer_norm_head", 8, 2, (2, 2), pooling="max"))
