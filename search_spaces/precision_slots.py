"""What of a space's networks has a precision of its own: each block, or each weighted layer; and when it stands.

A layer stands or not by the value of one knob. Where several knobs decide together whether a layer of a block stands,
or a weighted layer of one of the block's options has no name (``layer_names``), that block keeps one precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError
from search_spaces.knobs import Value
from search_spaces.parts import Part, combinations
from search_spaces.precision import has_weights, policy_of
from search_spaces.space import Genes, SearchSpace


class Slot(NamedTuple):
    """A place for one precision.

    Attributes:
        position: the block, as ``stage2.block1``.
        parent: the knob that decides whether it stands, or "" where it always does.
        values: those of ``parent`` at which it stands.
    """

    position: str
    parent: str = ""
    values: tuple[Value, ...] = ()


def block_slots(base: SearchSpace) -> dict[str, Slot]:
    """Return a slot for every position that has weights, by the position.

    Each knob is tried at each of its values, all others at their largest.

    Raises:
        UsageError: whether a block stands depends on several knobs.
    """
    found: dict[str, dict[str, tuple[Value, ...]]] = {name: {} for name in base.position_knobs()}
    for column, knob in enumerate(base.knobs):
        rows = np.tile(base.num_choices - 1, (len(knob.values), 1))
        rows[:, column] = np.arange(len(knob.values))
        standing = [policy_of(base.blueprint(architecture)) for architecture in base.decode(rows)]
        for name, deciders in found.items():
            values = tuple(value for value, policy in zip(knob.values, standing, strict=True) if name in policy)
            if len(values) < len(knob.values):
                deciders[knob.name] = values
    slots = {name: _block_slot(base, name, deciders) for name, deciders in found.items()}
    return {name: slot for name, slot in slots.items() if slot is not None}


def _block_slot(base: SearchSpace, name: str, deciders: Mapping[str, tuple[Value, ...]]) -> Slot | None:
    """Return the slot of a block, with the one knob that decides whether it has weights; None if it never has."""
    # In a network that lacks it whatever other knobs say, the one that brings it in alone has values that do.
    bringing = {knob: values for knob, values in deciders.items() if values}
    if deciders and not bringing:
        return None
    if len(bringing) > 1:
        raise UsageError(
            f"space {base.name!r} can't be quantised block by block: {', '.join(bringing)} together decide whether "
            f"{name} stands"
        )
    return Slot(name, *next(iter(bringing.items()), ("", ())))


def layer_slots(base: SearchSpace) -> dict[str, Slot]:
    """Return a slot for every weighted layer, by its name; of a block that keeps one precision, by its position.

    Raises:
        UsageError: whether a block stands depends on several knobs.
    """
    blocks, found = block_slots(base), dict[str, Slot]()
    for part in base.parts():
        if part.position in blocks:
            found.update(_layers_of(base, part) or {part.position: blocks[part.position]})
    return found


def _layers_of(base: SearchSpace, part: Part) -> dict[str, Slot]:
    """Return the slots of a position's layers, those of its largest option first; none if it keeps one precision."""
    from search_spaces.layer_names import layer_names

    rows: dict[str, list[int]] = {}
    for row, option in reversed(part.rows.items()):
        names = layer_names(option.placed)
        if not names and has_weights(option.placed):
            return {}
        for name in names:
            rows.setdefault(name, []).append(row)
    columns = _with_parents(base, part.columns)
    genes = combinations(base, columns)
    at = part.rows_of(genes)
    found = {}
    for name, standing in rows.items():
        decider = _decider(base, columns, genes, np.isin(at, standing))
        if decider is None:
            return {}
        found[name] = Slot(part.position, *decider)
    return found


def _with_parents(base: SearchSpace, columns: tuple[int, ...]) -> list[int]:
    """Return ``columns`` and those of all the knobs that decide whether theirs are active, ascending."""
    found, left = set[int](), list(columns)
    while left:
        column = left.pop()
        found.add(column)
        if base.knobs[column].parent:
            left.append(base.column[base.knobs[column].parent])
    return sorted(found)


def _decider(
    base: SearchSpace, columns: list[int], genes: Genes, stands: NDArray[np.bool_]
) -> tuple[str, tuple[Value, ...]] | None:
    """Return the first knob whose value alone says which rows of ``genes`` stand, and its values that do.

    ("", ()) if all do; None if no single knob says it.
    """
    if stands.all():
        return "", ()
    for column in columns:
        knob, chosen = base.knobs[column], genes[:, column]
        values = [index for index in range(len(knob.values)) if stands[chosen == index].any()]
        if np.array_equal(np.isin(chosen, values), stands):
            return knob.name, tuple(knob.values[index] for index in values)
    return None
