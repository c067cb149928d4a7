"""Chinchilla's form: y = E + A / N^alpha + B / D^beta, of parameters and data (Hoffmann et al. 2022, eq. 2 and 4).

With training compute C = 6 N D the best split is N = G (C / 6)^(beta / (alpha + beta)) and D = (C / 6)^(alpha /
(alpha + beta)) / G, with G = (alpha A / (beta B))^(1 / (alpha + beta)).
"""

from __future__ import annotations

from collections.abc import Mapping

from scaling.law import LAWS, Law, Term


def compute_optimal(parameters: Mapping[str, float]) -> dict[str, float]:
    """Return G and the exponents of C / 6 in the best parameters and data."""
    alpha, beta = parameters["alpha"], parameters["beta"]
    ratio = alpha * parameters["A"] / (beta * parameters["B"])
    return {
        "G": ratio ** (1 / (alpha + beta)),
        "parameters_exponent": beta / (alpha + beta),
        "data_exponent": alpha / (alpha + beta),
    }


LAWS.register("chinchilla")(
    Law(
        "chinchilla",
        ("parameters", "data"),
        (Term("A", 0, "alpha"), Term("B", 1, "beta"), Term("E")),
        derived=compute_optimal,
    )
)
