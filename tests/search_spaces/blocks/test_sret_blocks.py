from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.sret_layers import GroupAttention, Permutation, permutation
from search_spaces.blueprint import PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, check_layers, fill, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


def sret(in_width: int, out_width: int, size: tuple[int, int], **values: int) -> PlacedBlock:
    given_values = {"heads": 2, "head_dim": 4, "mlp_width": 2 * out_width, "projection_width": out_width, **values}
    return place("sret", in_width, out_width, size, **given_values)


@settings(max_examples=12)
@given(
    pair([4, 6, 8]),
    pair([1, 2, 3]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2]),
    st.tuples(st.sampled_from([4, 8]), st.sampled_from([4, 8])),
)
def test_sret_nested_and_counted(
    widths: list[int], heads: list[int], loops: int, groups: int, later: int, stride: int, size: tuple[int, int]
) -> None:
    assume(size[0] * size[1] // stride**2 % max(groups, later) == 0)
    small, large = (
        sret(
            widths[i] if stride == 2 else 2 * widths[i],
            2 * widths[i],
            size,
            heads=heads[i],
            loops=loops,
            groups=groups,
            later_groups=later,
            stride=stride,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_sret_stem_nested_and_counted() -> None:
    check_block(place("sret_stem", 3, 8, (9, 16), stride=4), place("sret_stem", 3, 12, (9, 16), stride=4))


def test_more_loops_cost_no_more_parameters_than_their_own_mlp() -> None:
    once, twice = (sum(layer.params for layer in block_layers(sret(8, 8, (4, 4), loops=n))) for n in (1, 2))
    own = 2 * 8 + 2 * (8 * 8 + 8) + 2
    assert twice - once == own
    check_layers(sret(8, 8, (4, 4), loops=3, groups=4, later_groups=2))


def test_halving_to_a_width_that_is_no_multiple() -> None:
    placed = sret(12, 20, (5, 5), stride=2)
    check_layers(placed)
    assert "grouped3to5.weight" in dict(module_of(placed).named_parameters())


@pytest.mark.parametrize(("num", "groups"), [(16, 4), (49, 7), (784, 2)])
def test_the_permutation_is_one_for_each_number_of_tokens(num: int, groups: int) -> None:
    found = permutation(num)
    assert found == permutation(num)
    assert [found.order[place] for place in found.inverse] == list(range(num))
    assert sorted(found.order[: num // groups]) != list(range(num // groups))


@pytest.mark.parametrize("permuted", [None, permutation(8)])
def test_a_token_sees_its_group(permuted: Permutation | None) -> None:
    attention = GroupAttention(4, 1, 4)
    fill(attention, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    torch.autograd.backward(attention(x, 2, permuted)[0, 3].sum())
    placed = permuted.order if permuted else tuple(range(8))
    group = next(half for half in (placed[:4], placed[4:]) if 3 in half)
    assert x.grad is not None
    assert x.grad[0].ne(0).any(-1).nonzero().flatten().tolist() == sorted(group)


def test_a_network_gives_one_output() -> None:
    module = module_of(sret(8, 8, (4, 4), groups=4, later_groups=2)).eval()
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(module(x), module(x))


@pytest.mark.parametrize(
    ("widths", "size", "values", "message"),
    [
        ((8, 8), (3, 3), {"groups": 2}, r"groups 2 does not divide 9 tokens: allowed: \[1, 3, 9\]"),
        ((8, 8), (3, 3), {"later_groups": 4}, r"later_groups 4 does not divide 9 tokens: allowed: \[1, 3, 9\]"),
        ((8, 8), (3, 3), {"loops": 0}, "an sret block got loops 0: allowed: 1 or more"),
        ((8, 8), (8, 8), {"stride": 4}, "an sret block got stride 4: allowed: 1, 2"),
        ((8, 16), (8, 8), {}, "block of stride 1 got widths 8 -> 16"),
    ],
)
def test_sret_blocks_that_can_not_stand(
    widths: tuple[int, int], size: tuple[int, int], values: dict[str, int], message: str
) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(sret(*widths, size, **values))


def test_an_sret_stem_of_another_stride() -> None:
    with pytest.raises(UsageError, match="an sret_stem got stride 3: allowed: 1, 2, 4, 8"):
        module_of(place("sret_stem", 3, 8, (9, 9), stride=3))
