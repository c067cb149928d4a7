"""A tuning that takes a second a trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.config import StudyConfig, make_config
from experiments.tuning import TuningPlan
from experiments.tuning_ranges import Choices, Range

CONTENT: dict[str, Any] = {
    "name": "tiny",
    "data": {"source": "digits", "max_images": 200, "calibration_images": 20},
    "space": {"name": "ofa_mobilenet", "form": "small_image", "resolutions": [8], "width_multipliers": [0.25]},
    "training": {"batch_size": 16, "epochs": 4},
}
RANGES = {"training.learning_rate": Range(1e-3, 1e-1), "training.optimiser": Choices(("adamw", "sgd"))}


def tiny_config() -> StudyConfig:
    """The configuration."""
    return make_config(CONTENT, "a test")


def tiny_plan(**settings: Any) -> TuningPlan:
    """Two trials of one epoch, or what ``settings`` say."""
    return replace(TuningPlan(tiny_config(), 2, 1, RANGES), **settings)
