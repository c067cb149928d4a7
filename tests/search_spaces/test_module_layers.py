"""One run on the meta device lists what fvcore's own trace counts, and more: norms, pooling, sums, parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import Layer, total
from search_spaces.module_layers import traced_layers

SHAPE = (4, 6, 5)


class Function(nn.Module):
    """A function as a module, with a weight of its own."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.empty(shape))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


MODULES: dict[str, Callable[[], nn.Module]] = {
    "strided": lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "grouped": lambda: nn.Conv2d(4, 8, 3, groups=2, bias=False),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 2, stride=2),
    "in one dimension": lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 3, 5)),
    "norms": lambda: nn.Sequential(nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.LayerNorm(5), nn.ReLU(inplace=True)),
    "pooling": lambda: nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
    "pooling by a function": lambda: Function(lambda x, w: F.adaptive_avg_pool2d(x, 1).flatten(1) @ w, 4, 2),
    "mean by a method": lambda: Function(lambda x, w: F.linear(x.mean((2, 3)), w), 2, 4),
    "last axis": lambda: nn.Linear(5, 7),
    "weight of its own": lambda: Function(F.conv2d, 3, 4, 3, 3),
}


@pytest.mark.parametrize("name", MODULES)
def test_totals_are_fvcores(name: str) -> None:
    found = total(traced_layers(on_meta(MODULES[name]), SHAPE), "fvcore")
    traced = fvcore_totals(MODULES[name](), torch.zeros(1, *SHAPE))
    assert (found.params, found.macs, found.activations) == traced


def test_attention_of_pytorch_is_linear_maps_and_two_products() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(2).transpose(1, 2)
            out: Tensor = self.attention(tokens, tokens, tokens, need_weights=False)[0]
            return out

    layers = traced_layers(on_meta(Attention), SHAPE)
    products = [(layer.op, layer.macs) for layer in layers if layer.macs]
    assert products == [
        ("linear", 30 * 4 * 12),
        ("attention", 30 * 30 * 4),
        ("attention", 30 * 30 * 4),
        ("linear", 30 * 4 * 4),
    ]
    assert sum(layer.params for layer in layers) == 4 * 12 + 12 + 4 * 4 + 4


def test_what_an_operation_reads_writes_and_owns() -> None:
    module = on_meta(lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4))
    assert traced_layers(module, SHAPE) == (Layer("depthwise", 9 * 120, 40, 120, 120, 120),)
    summed = on_meta(lambda: Function(lambda x, w: torch.cat([x + w, x], 1), 1))
    assert traced_layers(summed, SHAPE) == (Layer("add", 0, 1, 121, 120), Layer("copy", 0, 0, 240, 240))


def test_a_module_that_runs_twice_owns_its_parameters_once() -> None:
    layer = on_meta(lambda: nn.Linear(5, 5))
    layers = traced_layers(nn.Sequential(layer, layer), SHAPE)
    assert [(each.op, each.macs, each.params) for each in layers] == [("linear", 600, 30), ("linear", 600, 0)]


def test_parameters_that_no_layer_uses_are_still_counted() -> None:
    unused = on_meta(lambda: Function(lambda x, _: x.flatten(1), 7))
    assert traced_layers(unused, SHAPE) == (Layer("copy", params=7),)


def test_instance_norm_is_one() -> None:
    layers = traced_layers(on_meta(lambda: nn.InstanceNorm2d(4, affine=True)), SHAPE)
    assert layers == (Layer("instance_norm", 0, 8, 120, 120),)
