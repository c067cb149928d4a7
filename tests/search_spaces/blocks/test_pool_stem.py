from __future__ import annotations

import pytest
import torch

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place

STEMS = {
    "resnet": {"kernel": 7, "stride": 4},
    "resnet_d": {"kernel": 3, "stride": 4, "deep": True},
    "resnetrs": {"kernel": 3, "stride": 4, "deep": True, "pooling": "conv", "scales": False},
    "regnet": {"kernel": 3, "stride": 2},
    "small": {"kernel": 3, "stride": 1},
}


@pytest.mark.parametrize("size", [(9, 12), (1, 2), (8, 8)])
@pytest.mark.parametrize("settings", STEMS.values(), ids=STEMS)
def test_nested_counted_and_strided(settings: dict[str, int], size: tuple[int, int]) -> None:
    small, large = (place("pool_stem", 3, width, size, **settings) for width in (8, 16))
    check_block(small, large)
    out = module_of(small).eval()(torch.zeros(1, 3, *size))
    assert out.shape[2:] == tuple(-(-side // settings["stride"]) for side in size)


def test_a_max_pooling_is_what_pycls_counts() -> None:
    ops = {
        name: [layer.op for layer in block_layers(place("pool_stem", 3, 8, (8, 8), **STEMS[name]))] for name in STEMS
    }
    assert [name for name in STEMS if "max_pool" in ops[name]] == ["resnet", "resnet_d"]
    assert [ops[name].count("conv") for name in STEMS] == [1, 3, 4, 1, 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel": 7, "stride": 3}, "stride of the stem got 3: allowed: 1, 2, and 4"),
        ({"kernel": 4, "stride": 2}, "kernel got 4: .*odd"),
        ({"kernel": 3, "stride": 4, "pooling": "maks"}, "unknown pooling of the stem 'maks': did you mean 'max'"),
    ],
)
def test_bad_settings(settings: dict[str, int | str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place("pool_stem", 3, 8, (8, 8), **settings))
