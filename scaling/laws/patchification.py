"""Patchification: y = c + a N^-b, of the number of tokens N = (side / patch)^2 of a plain vision transformer.

The law's authors (Wang et al. 2025) find that the error falls as patches shrink, down to one pixel, and publish no
constants: these are fitted, never quoted.
"""

from __future__ import annotations

from scaling.law import LAWS, Array, Law, Term


def num_tokens(inputs: Array) -> Array:
    """Return the tokens, (n, 1), of sides and patches in pixels, (n, 2)."""
    tokens: Array = (inputs[:, :1] / inputs[:, 1:]) ** 2
    return tokens


LAWS.register("patchification")(
    Law("patchification", ("side", "patch"), (Term("a", 0, "b"), Term("c")), variables=num_tokens)
)
