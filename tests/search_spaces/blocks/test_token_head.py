from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place, tokens


@settings(max_examples=15)
@given(
    st.lists(st.integers(2, 24), min_size=2, max_size=2).map(sorted),
    st.integers(2, 11),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["mean", "class_token"]),
)
def test_nested_and_counted(widths: list[int], classes: int, grid: tuple[int, int], pooling: str) -> None:
    small, large = (place("token_head", width, classes, grid, pooling=pooling) for width in widths)
    check_block(small, large, tokens)


def test_each_pooling_sees_its_own_tokens() -> None:
    x = tokens(6, (2, 2), torch.Generator().manual_seed(0))
    other = x.clone()
    other[:, 0] += torch.arange(6.0)
    for pooling, sees_class_token in (("mean", False), ("class_token", True)):
        head = module_of(place("token_head", 6, 3, (2, 2), pooling=pooling))
        assert torch.equal(head(x), head(other)) is not sees_class_token


def test_an_unknown_pooling_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"unknown pooling 'means': did you mean 'mean'\? allowed: class_token, mean"):
        module_of(place("token_head", 8, 2, (2, 2), pooling="means"))
