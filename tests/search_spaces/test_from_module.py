"""A module class as a space: shared like any other, counted as fvcore counts, refused where it would be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from search_spaces.block import block_layers, blocks, cost
from search_spaces.errors import UsageError
from search_spaces.from_module import module_space
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.layout import declare, product
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import space, spaces
from search_spaces.testing import check_space

KNOBS: dict[str, tuple[int | str, ...]] = {
    "width": (8, 12),
    "depth": (1, 3),
    "kernel": (3, 5),
    "activation": ("relu", "silu"),
}


class Residual(nn.Module):
    def __init__(self, width: int, kernel: int, activation: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(width)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.activation = {"relu": nn.ReLU(), "silu": nn.SiLU(inplace=True)}[activation]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.depthwise(self.activation(self.norm(self.conv(x))))


class ConvNet(nn.Module):
    def __init__(
        self, in_channels: int, num_classes: int, width: int, depth: int, kernel: int, activation: str = "relu"
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Residual(width, kernel, activation) for _ in range(depth))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.classifier(self.norm(self.pool(x).flatten(1)))
        return logits


class TokenNet(nn.Module):
    """Attention of its own, a parameter of its own, and the size of the image as an argument."""

    def __init__(
        self, in_channels: int, num_classes: int, resolution: tuple[int, int], heads: int, fused: bool = True
    ) -> None:
        super().__init__()
        self.heads, self.fused, width = heads, fused, 4 * heads
        self.patches = nn.Conv2d(in_channels, width, 2, stride=2)
        self.position = nn.Parameter(torch.empty(resolution[0] // 2 * (resolution[1] // 2), width))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        declare(self.qkv.weight, product(3, heads, 4), width)
        self.classifier = nn.Linear(width, num_classes)

    def initialise(self, name: str, tensor: Tensor) -> None:
        nn.init.normal_(tensor, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        q, k, v = self.qkv(tokens).unflatten(2, (3, self.heads, 4)).permute(2, 0, 3, 1, 4)
        if self.fused:
            mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            mixed = ((q @ k.transpose(2, 3)) / 2).softmax(-1) @ v
        logits: Tensor = self.classifier(mixed.transpose(1, 2).flatten(2).mean(1))
        return logits


@pytest.fixture
def forget() -> Iterator[None]:
    """Take what a test registers out of the registries again."""
    assert spaces.names()
    assert blocks.names()
    before = dict(spaces._entries), dict(blocks._entries)
    yield
    spaces._entries, blocks._entries = before


pytestmark = pytest.mark.usefixtures("forget")


def conv_net(**changes: Any) -> SearchSpace:
    settings = {"knobs": KNOBS, "resolution": (10, 12), "categorical": (), **changes}
    return module_space("conv_net", ConvNet, **settings)(SpaceSettings(in_channels=2, num_classes=3))


def test_the_contract_of_spaces() -> None:
    check_space(conv_net(), 8)


def test_a_resolution_may_be_a_knob() -> None:
    found = conv_net(knobs={"resolution": (8, 12), "width": (8, 12)}, fixed={"depth": 2, "kernel": 3})
    check_space(found, 6)
    assert found.blueprint(found.smallest()).resolution == (8, 8)
    assert found.blueprint(found.largest()).resolution == (12, 12)
    assert found.size() == 4


def test_it_is_found_by_name_and_its_blueprints_build() -> None:
    conv_net()
    found = space("conv_net", in_channels=1, num_classes=4)
    assert found.size() == 16
    blueprint = found.blueprint(found.largest())
    assert [placed.kind for placed in blueprint.placed()] == ["module_input", "conv_net"]


def test_every_member_costs_what_fvcore_counts() -> None:
    found = conv_net()
    for genes in [[width, depth, 1, 0] for width in (0, 1) for depth in (0, 1)]:
        (architecture,) = found.decode(torch.tensor([genes]).numpy())
        blueprint = found.blueprint(architecture)
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_layers_are_those_that_latency_models_know() -> None:
    found = conv_net()
    head = list(found.blueprint(found.smallest()).placed())[-1]
    ops = [layer.op for layer in block_layers(head)]
    assert ops == ["conv", "conv", "batch_norm", "activation", "depthwise", "add", "pool", "layer_norm", "linear"]
    first, linear = block_layers(head)[0], block_layers(head)[-1]
    assert (first.params, first.inputs, first.outputs, first.bias) == (8 * 2 * 9 + 8, 240, 240, 240)
    assert (linear.params, linear.macs, linear.inputs, linear.outputs, linear.bias) == (27, 24, 8, 3, 3)


@pytest.mark.parametrize("fused", [True, False])
def test_attention_is_counted_however_it_is_written(fused: bool) -> None:
    kind = module_space("token_net", TokenNet, knobs={"heads": (1, 2)}, resolution=8, fixed={"fused": fused})
    found = kind(SpaceSettings(in_channels=1, num_classes=3))
    for architecture in (found.smallest(), found.largest()):
        blueprint = found.blueprint(architecture)
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
        heads = int(architecture.values["heads"])
        width = 4 * heads
        products = 16 * 4 * width + 16 * width * 3 * width + 2 * heads * 16 * 16 * 4 + 3 * width
        assert cost(blueprint).macs == products
    check_space(found, 4)


def test_smaller_kernels_are_the_centre_of_larger_ones() -> None:
    found = conv_net()
    shared = SharedWeights(found)
    small = found.blueprint(found.smallest())
    name = "head.conv_net.blocks.0.conv.weight"
    taken = shared.parts(small, shared.tensors)[name]
    assert torch.equal(taken, shared.tensors[name][:8, :8, 1:4, 1:4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"knobs": {"widht": (1, 2)}}, "unknown argument of ConvNet in space 'conv_net' 'widht': did you mean 'width'"),
        ({"knobs": {"width": (8, 4)}, "fixed": {"depth": 1, "kernel": 3}}, r"knob 'width' got values \(8, 4\)"),
        ({"knobs": {"width": (8,)}, "fixed": {"depth": 1}}, "argument 'kernel' has no value: make it a knob or fix it"),
        ({"fixed": {"width": 8}}, "argument 'width' is a knob and fixed: leave one out"),
        (
            {"categorical": ("kernels",)},
            "unknown categorical knob of space 'conv_net' 'kernels': did you mean 'kernel'",
        ),
        ({"knobs": {**KNOBS, "width": range(1, 1000)}}, "has 7992 networks: a wrapped module may have 4096"),
    ],
)
def test_what_is_not_allowed(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        conv_net(**changes)


def test_a_name_is_taken_once() -> None:
    conv_net()
    with pytest.raises(UsageError, match="block 'conv_net' is registered twice: rename one of them"):
        conv_net()


class Uninitialised(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((1, 2, 3))[:, None] * self.scale


class Constant(Uninitialised):
    def __init__(self, width: int) -> None:
        nn.Module.__init__(self)
        self.register_buffer("scale", torch.ones(width))


class Maps(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            Uninitialised,
            r"nothing says how Uninitialised \(the module itself\) starts its parameter 'scale': give that",
        ),
        (Constant, "Constant .* keeps the constant 'scale': compute it in forward, on the data's device"),
        (Maps, r"the module gives \(1, 3, 4, 4\) for one image: let it give logits of shape \(1, 3\)"),
    ],
)
def test_modules_that_cannot_be_shared(kind: type[nn.Module], message: str) -> None:
    found = module_space("wrong", kind, knobs={"width": (3,)}, resolution=4)
    with pytest.raises(UsageError, match=message):
        found(SpaceSettings(in_channels=1, num_classes=3))
