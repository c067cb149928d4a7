"""The words that people read for names that the program uses."""

from __future__ import annotations

_ALGORITHMS = {"ehvi": "expected hypervolume improvement", "nsga2": "NSGA-II", "random": "random search"}

_QUANTITIES = {
    "predicted_validation_accuracy": "Validation accuracy, predicted from the other networks",
    "searched_validation_accuracy": "Validation accuracy, as the search saw it",
    "validation_accuracy": "Validation accuracy, inherited weights",
    "test_accuracy": "Test accuracy, inherited weights",
    "test_accuracy_fine_tuned": "Test accuracy, fine-tuned",
    "validation_accuracy_fine_tuned": "Validation accuracy, fine-tuned",
    "onnx_test_accuracy": "Test accuracy of the ONNX file",
    "latency_ms": "Latency",
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
    return _QUANTITIES.get(name, name.replace("_", " ").capitalize())


def counting_title(name: str) -> str:
    """Return a counting rule with what it counts."""
    return f"rule {name}: {COUNTING[name]}" if name in COUNTING else f"rule {name}"
