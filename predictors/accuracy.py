"""The accuracy of every network of a space, learnt from networks that were evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from predictors.gaussian_process import GaussianProcess
from predictors.kernels import Array, Kernel
from predictors.samples import as_inputs, check_samples
from predictors.validation import Validation

MIN_SAMPLES = 5
KERNELS = (
    Kernel("linear", "one_hot"),
    Kernel("rbf", "one_hot"),
    Kernel("linear", "costs", -1.0),
    Kernel("rbf", "costs", -1.0),
)


class AccuracyModel:
    """A fitted accuracy model; its predictions are labelled ``predicted``, never ``measured``."""

    def __init__(self, process: GaussianProcess) -> None:
        self.process = process

    @classmethod
    def fit(cls, one_hot: ArrayLike, costs: ArrayLike, accuracy: ArrayLike) -> AccuracyModel:
        """Return the model of these evaluations; the same evaluations give the same model.

        Args:
            one_hot: (n, m), as ``SearchSpace.one_hot``: the choices of absent blocks all zero.
            costs: (n, d) further columns, as MACs, parameters and resolution.
            accuracy: in any unit, (n,).

        Raises:
            UsageError: fewer than five samples, values that are not finite, or a network that stands twice.
        """
        given = {"one_hot": one_hot, "costs": costs}
        inputs, values = check_samples(given, "accuracy", accuracy, MIN_SAMPLES, positive=False)
        return cls(GaussianProcess.fit(KERNELS, ["costs"], inputs, values))

    def predict(self, one_hot: ArrayLike, costs: ArrayLike) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in the unit of the samples, each (n,), of a whole population at once."""
        return self.process.predict(as_inputs({"one_hot": one_hot, "costs": costs}))

    def leave_one_out(self) -> Validation:
        """Return each evaluated network predicted from the others."""
        return self.process.leave_one_out()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        return self.process.to_dict()

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> AccuracyModel:
        """Return the model of ``to_dict``'s data."""
        return cls(GaussianProcess.from_dict(content))
