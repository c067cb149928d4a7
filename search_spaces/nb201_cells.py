"""The notation of NATS-Bench's cells (Dong et al. 2021). No torch here: knobs and published cells are read with it."""

from __future__ import annotations

import re
from functools import cache

from search_spaces.errors import UsageError, unknown

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
