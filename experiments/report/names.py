"""The words that people read for names that the program uses."""

from __future__ import annotations

from nas.tasks import metrics

_ALGORITHMS = {"ehvi": "expected hypervolume improvement", "nsga2": "NSGA-II", "random": "random search"}

_QUANTITIES = {
    "predicted_validation_METRIC": "Validation TITLE, predicted from the other networks",
    "searched_validation_METRIC": "Validation TITLE, as the search saw it",
    "validation_METRIC": "Validation TITLE, inherited weights",
    "test_METRIC": "Test TITLE, inherited weights",
    "test_METRIC_fine_tuned": "Test TITLE, fine-tuned",
    "validation_METRIC_fine_tuned": "Validation TITLE, fine-tuned",
    "test_METRIC_re_trained": "Test TITLE, re-trained",
    "validation_METRIC_re_trained": "Validation TITLE, re-trained",
    "onnx_test_METRIC": "Test TITLE of the ONNX file",
    "latency_ms": "Latency",
    "latency_p95_ms": "Latency, 95th percentile",
    "energy_mj": "Energy of one run",
}

COUNTING = {
    "core": "conv, linear and attention products only",
    "fvcore": "fvcore's rule: core plus normalisation and average pooling",
    "pycls": "pycls' rule: core plus biases",
}


def algorithm_title(name: str) -> str:
    """Return the name of a search algorithm as papers write it."""
    return _ALGORITHMS.get(name, name)


def quantity_title(name: str) -> str:
    """Return the title of a quantity."""
    for metric in metrics().values():
        title = _QUANTITIES.get(name.replace(metric.name, "METRIC"))
        if title is not None:
            return title.replace("TITLE", metric.title)
    return name.replace("_", " ").capitalize()


def counting_title(name: str) -> str:
    """Return a counting rule with what it counts."""
    return f"rule {name}: {COUNTING[name]}" if name in COUNTING else f"rule {name}"
