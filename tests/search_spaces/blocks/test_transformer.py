from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blueprint import PlacedBlock
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, check_layers, fill, place, tokens

GRIDS = st.tuples(st.integers(1, 5), st.integers(1, 5))


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


def block(width: int, grid: Size, heads: int, mlp_width: int, class_token: bool = True) -> PlacedBlock:
    return place(
        "transformer",
        width,
        width,
        grid,
        heads=heads,
        head_dim=4,
        mlp_width=mlp_width,
        class_token=class_token,
    )


@settings(max_examples=15)
@given(pair([8, 16, 24]), pair([1, 2, 3]), pair([8, 20, 32]), GRIDS)
def test_nested_and_counted(widths: list[int], heads: list[int], hidden: list[int], grid: Size) -> None:
    small, large = (block(widths[i], grid, heads[i], hidden[i]) for i in (0, 1))
    check_block(small, large, tokens)


def test_without_a_class_token_there_is_one_token_less() -> None:
    def cells(width: int, size: Size, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(2, size[0] * size[1], width, generator=generator)

    check_layers(block(8, (3, 2), 2, 16, class_token=False), cells)


def test_the_block_is_torchs_own_pre_norm_layer() -> None:
    mine = module_of(block(8, (2, 3), 2, 20)).double()
    generator = torch.Generator().manual_seed(0)
    fill(mine, generator)
    own = torch.nn.TransformerEncoderLayer(8, 2, 20, 0.0, "gelu", batch_first=True, norm_first=True).double()
    names = {
        "norm1": "attention_norm",
        "norm2": "mlp_norm",
        "linear1": "mlp.expand",
        "linear2": "mlp.reduce",
        "self_attn.out_proj": "attention.projection",
    }
    state = {
        f"{theirs}.{part}": mine.state_dict()[f"{ours}.{part}"]
        for theirs, ours in names.items()
        for part in ("weight", "bias")
    }
    for part in ("weight", "bias"):
        state[f"self_attn.in_proj_{part}"] = mine.state_dict()[f"attention.qkv.{part}"]
    own.load_state_dict(state)
    x = tokens(8, (2, 3), generator).double()
    torch.testing.assert_close(mine(x), own(x))


def test_a_transformer_block_keeps_its_width() -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match="a transformer block got widths 8 -> 16: give it equal widths"):
            call(place("transformer", 8, 16, (2, 2), heads=1, head_dim=4, mlp_width=16))
