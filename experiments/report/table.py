"""Every evaluated network as columns: what the explorer, the importance of knobs and the service's clients read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from experiments.report.sample import sampled
from predictors.measurement import Obtained
from search_spaces.knobs import Value

MAX_ROWS = 20_000
"""Rows that a page is given; ``thinned`` says which of more."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableColumn(_Frozen):
    """One quantity of every network.

    Attributes:
        name: ``validation_accuracy``, ``latency_ms@h100:bf16:b32``, ``macs``, ...
        title: for people.
        unit: of the values.
        direction: which way is better.
        obtained: how; several when the values were obtained differently.
        values: one a network; None where it is not known or not finite.
    """

    name: str
    title: str
    unit: str
    direction: Literal["min", "max"]
    obtained: tuple[Obtained, ...]
    values: tuple[float | None, ...]


class TableKnob(_Frozen):
    """One knob: its distinct values in order, and the index of each network's value, -1 where it is inactive."""

    name: str
    values: tuple[Value, ...]
    index: tuple[int, ...]


class EvaluatedTable(_Frozen):
    """Evaluated networks, in order of evaluation where that is known.

    Attributes:
        keys: of the architectures.
        labels: short names, "" where there is none.
        chosen: rows of the networks that the study chose.
        columns: quantities, the accuracy first where there is one.
        knobs: of the search space.
        num_evaluated: how many there are, shown or not.
        num_front_left_out: how many of those that are not shown are on a front.
    """

    keys: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    chosen: tuple[int, ...] = ()
    columns: tuple[TableColumn, ...] = ()
    knobs: tuple[TableKnob, ...] = ()
    num_evaluated: int = 0
    num_front_left_out: int = 0

    def column(self, name: str) -> TableColumn | None:
        """Return the column of this name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def rows(self, kept: Sequence[int]) -> EvaluatedTable:
        """Return the table of these rows alone; ``num_evaluated`` stays."""
        places = {row: place for place, row in enumerate(kept)}
        return self.model_copy(
            update={
                "keys": tuple(self.keys[row] for row in kept),
                "labels": tuple(self.labels[row] for row in kept),
                "chosen": tuple(places[row] for row in self.chosen if row in places),
                "columns": tuple(
                    column.model_copy(update={"values": tuple(column.values[row] for row in kept)})
                    for column in self.columns
                ),
                "knobs": tuple(
                    knob.model_copy(update={"index": tuple(knob.index[row] for row in kept)}) for knob in self.knobs
                ),
            }
        )


def table_knobs(choices: Sequence[Mapping[str, Value]]) -> tuple[TableKnob, ...]:
    """Return the knobs of networks given as values by knob name; a knob that is missing is inactive."""
    found = []
    for name in dict.fromkeys(name for each in choices for name in each):
        column = [each.get(name) for each in choices]
        ordered = sorted({value for value in column if value is not None}, key=lambda v: (isinstance(v, str), v))
        place: dict[Value | None, int] = {None: -1} | {value: number for number, value in enumerate(ordered)}
        found.append(TableKnob(name=name, values=tuple(ordered), index=tuple(place[value] for value in column)))
    return tuple(found)


def thinned(
    table: EvaluatedTable, fronts: Sequence[int], always: Iterable[int], limit: int = MAX_ROWS
) -> EvaluatedTable:
    """Return about ``limit`` rows: ``always`` and the chosen ones, those on ``fronts``, and an even sample of the rest.

    Of rows on fronts that are more than half of ``limit``, an even sample in the order in which they are given.
    """
    total = len(table.keys)
    if total <= limit:
        return table
    must = {*always, *table.chosen}
    shown = sampled(len(fronts), limit // 2, [place for place, row in enumerate(fronts) if row in must])
    kept = sampled(total, limit, must.union(fronts[place] for place in shown))
    return table.rows(kept).model_copy(update={"num_front_left_out": len(set(fronts).difference(kept))})
