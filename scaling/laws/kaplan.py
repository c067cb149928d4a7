"""Kaplan's form: y = (x_c / x)^alpha, without an offset, of parameters, data or compute (Kaplan et al. 2020, eq. 1.1).

``x_c`` is where the error would be 1, far outside the data. Where an error has a floor, the form promises too much.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log10

from scaling.law import LAWS, Law, Term


def critical_scale(parameters: Mapping[str, float]) -> dict[str, float]:
    """Return x_c = A^(1 / alpha), as its decimal logarithm: the number itself may be no float."""
    return {"log10_x_c": log10(parameters["a"]) / parameters["alpha"]}


LAWS.register("kaplan")(Law("kaplan", ("scale",), (Term("a", 0, "alpha"),), derived=critical_scale))
