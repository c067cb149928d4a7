"""The models that ``nas bench latency`` compares, each fitted on a few samples of a target."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks.protocol import over_seeds, scores

if TYPE_CHECKING:
    from experiments.benchmarks.latency import Task
    from predictors.latency import LatencyPrior

Array = NDArray[np.float64]
Predict = Callable[[], tuple[Array, Array | None]]
Fit = Callable[["Task", "LatencyPrior", NDArray[np.intp], Array], Predict]


def evaluate(
    model: str, task: Task, target: str, sources: list[str], samples: int, seeds: int, sampler: str
) -> dict[str, Any]:
    """Return a model's figures on one target: means over seeds, and times in milliseconds (medians).

    ``prior_ms`` is what is made of the sources, once for all targets and seeds that share them.
    """
    from predictors.sampling import choose

    actual = task.latency_ms[target]
    start = time.perf_counter()
    prior = task.calibrated_prior(sources, sampler, samples)
    prior_ms = 1e3 * (time.perf_counter() - start)
    rows = prior.encoding(task.inputs)
    found, times = [], []
    for seed in range(seeds):
        indices = choose(sampler, prior, rows, samples, seed)
        start = time.perf_counter()
        predict = MODELS[model](task, prior, indices, actual[indices])
        middle = time.perf_counter()
        mean, deviation = predict()
        times.append((1e3 * (middle - start), 1e3 * (time.perf_counter() - middle)))
        found.append(scores(actual, mean, deviation))
    fit_ms, predict_ms = np.median(np.array(times), axis=0)
    return {
        **over_seeds(found),
        "additive_ceiling": additive_ceiling(rows, actual),
        "deviation_factor": round(prior.deviation_factor, 3),
        "prior_ms": round(prior_ms, 1),
        "fit_ms": round(float(fit_ms), 2),
        "predict_ms": round(float(predict_ms), 2),
    }


def additive_ceiling(rows: Array, actual: Array) -> float:
    """Return Spearman's correlation that a linear model over the same columns reaches when it knows every network."""
    from predictors.sources import source_prior
    from predictors.validation import Validation

    predicted = rows @ source_prior(rows, {"target": actual}).coefficients[:, 0]
    return round(Validation(actual, predicted, np.ones(len(actual))).spearman, 4)


def _average(task: Task, prior: LatencyPrior, indices: NDArray[np.intp], values: Array) -> Predict:
    from predictors.latency import LatencyModel

    model = LatencyModel.fit_prior(prior, task.rows(indices), values)
    return lambda: model.predict_inputs(task.inputs)


def _process(task: Task, _prior: LatencyPrior, indices: NDArray[np.intp], values: Array) -> Predict:
    """Fit a Gaussian process with the usual kernels on totals and choices, hyper-parameters by maximum likelihood."""
    from predictors.gaussian_process import GaussianProcess
    from predictors.kernels import Kernel

    kernels = (Kernel("linear", "totals"), Kernel("linear", "one_hot", -3.0), Kernel("rbf", "totals", -1.0))
    few = {name: task.inputs[name][indices] for name in ("totals", "one_hot")}
    model = GaussianProcess.fit(kernels, ["totals"], few, values)
    return lambda: model.predict({name: task.inputs[name] for name in few})


def _regressor(make: Callable[[], Any]) -> Fit:
    """Return the fit of a scikit-learn regressor on all columns and, where there are sources, their models."""

    def fit(task: Task, prior: LatencyPrior, indices: NDArray[np.intp], values: Array) -> Predict:
        rows = prior.encoding(task.inputs)
        inputs = np.hstack([rows, rows @ prior.hypotheses.trends])
        inputs /= np.maximum(inputs.std(axis=0), 1e-9)
        model, centre, spread = make(), values.mean(), values.std() or 1.0
        with warnings.catch_warnings():
            # Few samples: not converged is as good as it gets.
            warnings.simplefilter("ignore")
            model.fit(inputs[indices], (values - centre) / spread)
        return lambda: (centre + spread * np.asarray(model.predict(inputs), dtype=np.float64), None)

    return fit


def _trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(min_samples_leaf=2, max_iter=100, random_state=0)


def _mlp() -> Any:
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(hidden_layer_sizes=(128, 128), alpha=1e-2, max_iter=500, random_state=0)


def _graph(task: Task, _prior: LatencyPrior, indices: NDArray[np.intp], values: Array) -> Predict:
    from experiments.benchmarks.graph_network import fit_graph_network

    predict = fit_graph_network(task.genes, indices, values)
    return lambda: (predict(), None)


MODELS: dict[str, Fit] = {
    "average": _average,
    "process": _process,
    "trees": _regressor(_trees),
    "mlp": _regressor(_mlp),
    "graph": _graph,
}
