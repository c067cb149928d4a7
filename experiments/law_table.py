"""The points of a law, read from a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.cli.common import read_text
from scaling.law import Array, Law
from scaling.law_points import Points
from search_spaces.errors import UsageError, unknown

Row = dict[str, str]


def read_points(
    law: Law, file: Path, x: Sequence[str], y: str, where: Sequence[str], label: str | None, predict: Sequence[str]
) -> tuple[Points, Array]:
    """Return the measured points of a CSV file, and the inputs to predict at.

    Args:
        law: whose columns ``x`` names, in order.
        file: with a header.
        x: columns of inputs.
        y: column of the error.
        where: ``COLUMN=VALUE``, all of which a row must meet.
        label: column that names rows.
        predict: inputs, each separated by commas.

    Raises:
        UsageError: a column is unknown, no row is left, or a number can't be read; the row is named.
    """
    if len(x) != len(law.columns):
        raise UsageError(
            f"law {law.name!r} has the inputs {', '.join(law.columns)}: give --x {len(law.columns)} times, in that "
            f"order; got {', '.join(x) or 'none'}"
        )
    reader = csv.DictReader(io.StringIO(read_text(file)))
    columns = list(reader.fieldnames or [])
    rows = _chosen(list(enumerate(reader, start=1)), where, columns)
    for name in (*x, y, *((label,) if label else ())):
        _require_column(name, columns)
    if not rows:
        raise UsageError(f"{file} has no row{' with ' + ', '.join(where) if where else ''}: nothing to fit")
    names = [row[label] if label else f"row {number}" for number, row in rows]
    numbers = np.array([[_number(row, name, number) for name in (*x, y)] for number, row in rows])
    asked = [_asked(text, law) for text in predict]
    return Points(names, numbers[:, :-1], numbers[:, -1]), np.array(asked).reshape(-1, len(law.columns))


def _chosen(rows: list[tuple[int, Row]], where: Sequence[str], columns: Sequence[str]) -> list[tuple[int, Row]]:
    for text in where:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--where got {text!r}: write it as COLUMN=VALUE")
        _require_column(name, columns)
        rows = [(number, row) for number, row in rows if row[name] == value]
    return rows


def _require_column(name: str, columns: Sequence[str]) -> None:
    if name not in columns:
        raise unknown("column", name, columns)


def _number(row: Row, name: str, number: int) -> float:
    try:
        return float(row[name])
    except (TypeError, ValueError):
        raise UsageError(f"row {number}: {name} is {row[name]!r}: give a number") from None


def _asked(text: str, law: Law) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != len(law.columns):
        raise UsageError(f"--predict got {text!r}: give {', '.join(law.columns)} as numbers separated by commas")
    return found
