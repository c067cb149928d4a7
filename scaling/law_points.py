"""The measured points of a law, and what is refused: too few, not positive, an error that rises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaling.law import Array, Law
from search_spaces.errors import UsageError

SPARE_POINTS = 2
MIN_VALUES = 4


@dataclass(frozen=True, eq=False)
class Points:
    """Measured errors.

    Attributes:
        names: of the rows, (n,), as messages call them.
        inputs: the law's columns, (n, columns), positive.
        errors: what falls, (n,), positive: an error or a loss, never an accuracy.
    """

    names: Sequence[str]
    inputs: Array
    errors: Array

    def take(self, chosen: NDArray[np.bool_]) -> Points:
        """Return the rows that a mask (n,) chooses."""
        kept = np.flatnonzero(chosen)
        return Points([self.names[int(index)] for index in kept], self.inputs[kept], self.errors[kept])


def variables_of(law: Law, points: Points) -> Array:
    """Return the law's variables, (n, variables).

    Raises:
        UsageError: an input or an error is missing or not positive; the row is named.
    """
    for what, values in (*zip(law.columns, points.inputs.T, strict=True), ("the error", points.errors)):
        wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(wrong):
            raise UsageError(
                f"{what} of {points.names[wrong[0]]} is {values[wrong[0]]:g} ({len(wrong)} of {len(values)} rows): "
                "a law is fitted in logs: give positive numbers"
            )
    return law.variables(points.inputs)


def require_enough(law: Law, variables: Array) -> None:
    """Raise UsageError where points are too few for the law's parameters, or a variable takes too few values."""
    needed = law.num_parameters + SPARE_POINTS
    if len(variables) < needed:
        raise UsageError(
            f"law {law.name!r} has {law.num_parameters} parameters: {len(variables)} points are too few, give "
            f"{needed} or more"
        )
    least = MIN_VALUES if any(term.input is None for term in law.terms) else 2
    for index in range(variables.shape[1]):
        values = len(np.unique(variables[:, index]))
        if values < least:
            raise UsageError(
                f"variable {index + 1} of law {law.name!r} takes {values} distinct values: its exponent can't be told "
                f"from them, give {least} or more"
            )


def require_falling(points: Points, variables: Array, noise: float = 0.0) -> None:
    """Raise UsageError where a point that is larger in every variable has an error larger by more than ``noise``."""
    for small in np.argsort(points.errors):
        larger = (variables >= variables[small]).all(1) & (variables > variables[small]).any(1)
        rises = np.where(larger, points.errors - points.errors[small], -np.inf)
        worst = int(rises.argmax())
        if rises[worst] > noise:
            raise UsageError(
                f"not monotone: the error rises from {points.errors[small]:g} ({points.names[small]}) to "
                f"{points.errors[worst]:g} ({points.names[worst]}), which is larger: no law of falling error holds "
                "here; leave rows out, or say with noise which rises are none"
            )
