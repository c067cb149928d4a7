"""A cell of NATS-Bench's topology space (Dong et al. 2021): four nodes, an operator on each of six edges.

Node 0 is the input; node j is the sum over i < j of operator(j <- i) applied to node i; node 3 is the output. A cell is
written as NATS-Bench writes it: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, one group a node, ``~i`` the source.
"""

from __future__ import annotations

import re
from functools import cache

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ReluConvNorm, Size, relu_conv_layers
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer

OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
EDGES = tuple((node, source) for node in (1, 2, 3) for source in range(node))
"""(node, source) of each edge, in the order of the notation."""


def cell_text(operators: tuple[str, ...]) -> str:
    """Return the notation of a cell from the operators of ``EDGES``."""
    groups: dict[int, str] = {}
    for (node, source), operator in zip(EDGES, operators, strict=True):
        groups[node] = groups.get(node, "|") + f"{operator}~{source}|"
    return "+".join(groups.values())


@cache
def cell_operators(text: str) -> tuple[str, ...]:
    """Return the operators of ``EDGES`` from a cell's notation.

    Raises:
        UsageError: another structure, or an operator that is unknown.
    """
    found = tuple(re.findall(r"(\w+)~\d", text))
    if len(found) != len(EDGES) or cell_text(found) != text:
        raise UsageError(f"cell got {text!r}: allowed: |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, op of {OPERATORS}")
    for operator in found:
        if operator not in OPERATORS:
            raise unknown("operator of a cell", operator, OPERATORS)
    return found


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
