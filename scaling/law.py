"""Scaling laws: how an error falls as a network, its data or its compute grows. What one is, and where they register.

Every form here is a sum of power terms, fitted in logs:

    log y = logsumexp_j (a_j - sum_i b_ji log x_i)

so that A_j = exp(a_j), all exponents b are positive, and the error falls in every input to the term without input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_spaces.registry import Registry

Array = NDArray[np.float64]


def unchanged(inputs: Array) -> Array:
    """Return the columns as they are."""
    return inputs


def nothing(_parameters: Mapping[str, float]) -> dict[str, float]:
    """Return no further numbers."""
    return {}


@dataclass(frozen=True, slots=True)
class Term:
    """One term A x_i^-b of a law; the constant term has no input.

    Attributes:
        coefficient: what the paper calls A.
        input: index of the law's variable; None for the constant.
        exponent: what the paper calls b.
    """

    coefficient: str
    input: int | None = None
    exponent: str = ""


@dataclass(frozen=True, slots=True)
class Law:
    """A form.

    Attributes:
        name: that it is registered under.
        columns: what the inputs are, one word a column of the table, in order.
        terms: of the sum.
        variables: the (n, variables) that terms read, from the (n, columns) that a table has.
        derived: further numbers that follow from the fitted ones, by name.
    """

    name: str
    columns: tuple[str, ...]
    terms: tuple[Term, ...]
    variables: Callable[[Array], Array] = unchanged
    derived: Callable[[Mapping[str, float]], dict[str, float]] = nothing

    @property
    def num_parameters(self) -> int:
        """Coefficients and exponents."""
        return len(self.terms) + sum(term.input is not None for term in self.terms)


LAWS: Registry[Law] = Registry("law", "scaling.laws")
