"""A cell of NATS-Bench's topology space (Dong et al. 2021): four nodes, an operator on each of six edges.

Node 0 is the input; node j is the sum over i < j of operator(j <- i) applied to node i; node 3 is the output. A cell is
written as NATS-Bench writes it: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, one group a node, ``~i`` the source.
"""

from __future__ import annotations

from functools import cache

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ReluConvNorm, Size, relu_conv_layers
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.nb201_cells import EDGES, KERNELS, cell_operators


class Edge(nn.Module):
    """One operator, (N, width, H, W) -> the same shape; a convolution's kind is part of its parameters' names."""

    def __init__(self, operator: str, width: int) -> None:
        super().__init__()
        self.operator = operator
        if operator in KERNELS:
            self.add_module(operator, ReluConvNorm(width, width, KERNELS[operator]))

    def forward(self, x: Tensor) -> Tensor:
        """Return the edge's value; ``none`` is a product with 0, so that what is behind it has a gradient (of 0)."""
        if self.operator == "none":
            return x * 0.0
        if self.operator == "skip_connect":
            return x
        if self.operator == "avg_pool_3x3":
            return nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        out: Tensor = self.get_submodule(self.operator)(x)
        return out


@register_block("nb201_cell")
class Nb201Cell(nn.Module):
    """(N, width, H, W) -> the same shape."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, cell: str) -> None:
        super().__init__()
        _check_width(in_width, out_width)
        for (node, source), operator in zip(EDGES, cell_operators(cell), strict=True):
            self.add_module(_edge_name(node, source), Edge(operator, out_width))

    def forward(self, x: Tensor) -> Tensor:
        """Return node 3."""
        nodes = [x]
        for node in (1, 2, 3):
            value = self.get_submodule(_edge_name(node, 0))(x)
            for source in range(1, node):
                value = value + self.get_submodule(_edge_name(node, source))(nodes[source])
            nodes.append(value)
        return nodes[3]

    @staticmethod
    @cache
    def layers(in_width: int, out_width: int, in_size: Size, *, cell: str) -> tuple[Layer, ...]:
        """Return what one image costs; operators whose output is used by none are counted, as NATS-Bench does."""
        _check_width(in_width, out_width)
        elements = out_width * in_size[0] * in_size[1]
        found: list[Layer] = []
        for (node, source), operator in zip(EDGES, cell_operators(cell), strict=True):
            held = node * elements
            if operator in KERNELS:
                found += relu_conv_layers(out_width, out_width, in_size, KERNELS[operator], held=held)
            elif operator != "skip_connect":
                op = "avg_pool" if operator == "avg_pool_3x3" else "scale"
                found.append(Layer(op, 0, 0, elements, elements, held=held))
            if source:
                found.append(Layer("add", 0, 0, 2 * elements, elements, held=held))
        return tuple(found)


def _edge_name(node: int, source: int) -> str:
    return f"node{node}_from{source}"


def _check_width(in_width: int, out_width: int) -> None:
    if in_width != out_width:
        raise UsageError(f"an nb201_cell block got widths {in_width} -> {out_width}: give it equal widths")
