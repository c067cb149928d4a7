from __future__ import annotations

import pytest

from search_spaces.errors import UsageError
from search_spaces.layers import Layer, total

LAYERS = [
    Layer("conv", macs=100, params=10, inputs=50, outputs=20, bias=20),
    Layer("batch_norm", params=4, inputs=20, outputs=20),
    Layer("activation", inputs=20, outputs=20, held=40),
    Layer("max_pool", inputs=20, outputs=5),
    Layer("pool", inputs=5, outputs=1),
    Layer("layer_norm", params=2, inputs=1, outputs=1),
    Layer("linear", macs=3, params=3, inputs=1, outputs=3),
]


@pytest.mark.parametrize(
    ("counting", "macs", "activations"),
    [("core", 103, 23), ("fvcore", 103 + 2 * 20 + 5 + 5 * 1, 23), ("pycls", 103 + 20, 23 + 5)],
)
def test_each_counting_rule(counting: str, macs: int, activations: int) -> None:
    cost = total(LAYERS, counting)
    assert (cost.params, cost.macs, cost.activations) == (19, macs, activations)


def test_peak_memory_is_the_weights_and_the_largest_working_set_in_float32() -> None:
    assert total(LAYERS).peak_memory_bytes == 4 * (19 + 20 + 20 + 40)


def test_an_unknown_counting_rule_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown counting rule 'fvcor': .*allowed: core, fvcore, pycls"):
        total(LAYERS, "fvcor")
