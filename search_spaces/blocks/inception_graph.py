"""What the Inception blocks are made of: chains and concatenations of convolutions and poolings, as plain values.

A node maps a map of some width and size to another; ``scaled`` changes its widths, ``output`` gives its shape,
``module`` and ``layers`` its two twins. Unpadded operations ("V" in the paper's figures) take rows and
columns away; networks for small images pad them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare

NORM_EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class Conv:
    """Convolution without bias, BatchNorm, ReLU; ``kernel`` is (height, width)."""

    width: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """Pooling 3x3: ``avg`` (padded, stride 1, the padding not counted) or ``max`` (stride 2)."""

    op: str
    padded: bool = True

    @property
    def stride(self) -> int:
        """The stride."""
        return 2 if self.op == "max" else 1


@dataclass(frozen=True, slots=True)
class Chain:
    """Nodes one after another."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Concat:
    """Nodes on the same input, their outputs concatenated."""

    nodes: tuple[Node, ...]


Node = Conv | Pool | Chain | Concat


def chain(*nodes: Node) -> Chain:
    """Return the chain of ``nodes``."""
    return Chain(nodes)


def concat(*nodes: Node) -> Concat:
    """Return the concatenation of ``nodes``."""
    return Concat(nodes)


def all_padded(node: Node) -> Node:
    """Return ``node`` with every operation padded: a side of n becomes ceil(n / stride)."""
    if isinstance(node, Conv | Pool):
        return replace(node, padded=True)
    return type(node)(tuple(map(all_padded, node.nodes)))


def scaled(node: Node, factor: float) -> Node:
    """Return ``node`` with every width times ``factor``, rounded, at least 1."""
    if isinstance(node, Conv):
        return replace(node, width=max(1, round(node.width * factor)))
    if isinstance(node, Pool):
        return node
    return type(node)(tuple(scaled(each, factor) for each in node.nodes))


def narrowed(node: Node, factor: float) -> Node:
    """Return ``node`` with the widths between its input and its output times ``factor``: what comes out is as wide."""
    if isinstance(node, Conv | Pool):
        return node
    if isinstance(node, Concat):
        return Concat(tuple(narrowed(each, factor) for each in node.nodes))
    return Chain((*(scaled(each, factor) for each in node.nodes[:-1]), narrowed(node.nodes[-1], factor)))


def widened(node: Node, by: int) -> Node:
    """Return ``node`` with its last convolution ``by`` channels wider."""
    if isinstance(node, Conv):
        if node.width + by < 1:
            raise UsageError(f"an inception block's last branch would have {node.width + by} channels: widen the stage")
        return replace(node, width=node.width + by)
    assert isinstance(node, Chain | Concat), node
    last = max(index for index, each in enumerate(node.nodes) if not isinstance(each, Pool))
    return type(node)(tuple(widened(each, by) if index == last else each for index, each in enumerate(node.nodes)))


def output(node: Node, width: int, size: Size) -> tuple[int, Size]:
    """Return the width and size of what ``node`` gives for a map of ``width`` and ``size``."""
    if isinstance(node, Conv):
        return node.width, (_side(size[0], node.kernel[0], node), _side(size[1], node.kernel[1], node))
    if isinstance(node, Pool):
        return width, (_side(size[0], 3, node), _side(size[1], 3, node))
    if isinstance(node, Chain):
        for each in node.nodes:
            width, size = output(each, width, size)
        return width, size
    shapes = [output(each, width, size) for each in node.nodes]
    return sum(shape[0] for shape in shapes), shapes[0][1]


def _side(length: int, kernel: int, node: Conv | Pool) -> int:
    if node.padded:
        return -(-length // node.stride)
    return (length - kernel) // node.stride + 1


class GraphConv(nn.Module):
    """The module of ``Conv``."""

    def __init__(self, in_width: int, node: Conv) -> None:
        super().__init__()
        height, width = node.kernel
        padding = (height // 2, width // 2) if node.padded else 0
        self.conv = nn.Conv2d(in_width, node.width, node.kernel, node.stride, padding, bias=False)
        declare(self.conv.weight, node.width, in_width, centre(height), centre(width))
        self.norm = nn.BatchNorm2d(node.width, NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(norm(conv(x)))."""
        return nn.functional.relu(self.norm(self.conv(x)))


class GraphConcat(nn.ModuleList):
    """The module of ``Concat``."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenation of the branches."""
        return torch.cat([branch(x) for branch in self], 1)


def module(node: Node, in_width: int) -> nn.Module:
    """Return the module of ``node``."""
    if isinstance(node, Conv):
        return GraphConv(in_width, node)
    if isinstance(node, Pool):
        padding = 1 if node.padded else 0
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False) if node.op == "avg" else nn.MaxPool2d(3, 2, padding)
    if isinstance(node, Concat):
        return GraphConcat(module(each, in_width) for each in node.nodes)
    modules = []
    for each in node.nodes:
        modules.append(module(each, in_width))
        in_width, _ = output(each, in_width, (0, 0))
    return nn.Sequential(*modules)


def layers(node: Node, in_width: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
    """Return what one image costs in ``node``."""
    inputs = in_width * size[0] * size[1]
    width, out_size = output(node, in_width, size)
    outputs = width * out_size[0] * out_size[1]
    if isinstance(node, Conv):
        weight = node.kernel[0] * node.kernel[1] * in_width
        return (
            Layer("conv", weight * outputs, weight * width, inputs, outputs, held=held),
            Layer("batch_norm", 0, 2 * width, outputs, outputs, held=held),
            Layer("activation", 0, 0, outputs, outputs, held=held),
        )
    if isinstance(node, Pool):
        return (Layer("avg_pool" if node.op == "avg" else "max_pool", 0, 0, inputs, outputs, held=held),)
    if isinstance(node, Concat):
        return _concat_layers(node.nodes, in_width, size, held, outputs)
    found: list[Layer] = []
    for each in node.nodes:
        found += layers(each, in_width, size, held)
        in_width, size = output(each, in_width, size)
    return tuple(found)


def _concat_layers(nodes: Sequence[Node], in_width: int, size: Size, held: int, outputs: int) -> tuple[Layer, ...]:
    """Return the layers of the branches, while their input and the branches before them are held."""
    found: list[Layer] = []
    held += in_width * size[0] * size[1]
    for each in nodes:
        found += layers(each, in_width, size, held)
        width, out_size = output(each, in_width, size)
        held += width * out_size[0] * out_size[1]
    return (*found, Layer("copy", 0, 0, outputs, outputs))
