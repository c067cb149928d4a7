"""The data axis: y = c + a D^-b, of the number of training images at one network (Fan et al. 2024).

``halving_factor`` is how many times the images halve what is left above the floor: 2^(1 / b).
"""

from __future__ import annotations

from collections.abc import Mapping

from scaling.law import LAWS, Law, Term


def halving(parameters: Mapping[str, float]) -> dict[str, float]:
    """Return how many times more images halve the error above the floor."""
    return {"halving_factor": 2.0 ** min(1 / parameters["b"], 1000.0)}


LAWS.register("data_axis")(Law("data_axis", ("images",), (Term("a", 0, "b"), Term("c")), derived=halving))
