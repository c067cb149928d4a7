"""The parts of the costs of networks that choose precisions: a table a slot, never one of all its layers together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from search_spaces.blueprint import PlacedBlock
from search_spaces.parts import Part, PartOfBlock
from search_spaces.precision import has_weights


def precision_parts(
    parts: Sequence[Part],
    slots: Mapping[str, Sequence[str]],
    fixed: Mapping[str, str],
    columns: Mapping[str, int],
    precisions: Sequence[str],
) -> Iterator[Part]:
    """Yield, for each of ``parts``, one a slot, and one of the options without weights.

    Args:
        parts: of the architectures, one a position.
        slots: those of each position: the position itself, or names of layers.
        fixed: the precision of each slot that has no choice.
        columns: of the knobs of all other slots.
        precisions: that those choose from.
    """
    for part in parts:
        plain = {row: found for row, found in part.rows.items() if not has_weights(found.placed)}
        if plain:
            yield Part(part.position, part.columns, part.shape, plain)
        for slot in slots.get(part.position, ()):
            rows = dict(_of_slot(part, slot))
            if slot in fixed:
                found = {row: each._replace(precision=fixed[slot]) for row, each in rows.items()}
                yield Part(part.position, part.columns, part.shape, found)
            else:
                yield _chosen(part, rows, columns[slot], precisions)


def _of_slot(part: Part, slot: str) -> Iterator[tuple[int, PartOfBlock]]:
    """Yield what stands in the slot, by row of the part."""
    for row, found in part.rows.items():
        if slot == part.position:
            if has_weights(found.placed):
                yield row, found
        elif slot in (names := _names(found.placed)):
            yield row, found._replace(layer=names.index(slot))


def _names(placed: PlacedBlock) -> tuple[str, ...]:
    from search_spaces.layer_names import layer_names

    return layer_names(placed)


def _chosen(part: Part, rows: Mapping[int, PartOfBlock], column: int, precisions: Sequence[str]) -> Part:
    """Return the part with one more knob, the last: a row of ``rows`` becomes one a precision."""
    num = len(precisions) + 1
    found = {
        row * num + number: each._replace(precision=name)
        for row, each in rows.items()
        for number, name in enumerate(precisions, start=1)
    }
    return Part(part.position, (*part.columns, column), (*part.shape, num), found)
