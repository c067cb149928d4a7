"""What a study would take: its space's size exactly, its time, memory and disk estimated from a few timed pieces."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.config import StudyConfig
from experiments.context import choose_device
from experiments.study_space import data_and_space

EXPORT_S = 8.0
EXPORT_BYTES = 6
"""Bytes written for each parameter of an exported network: safetensors and ONNX hold 4 each, and most are smaller."""
NUM_CURVE_NETWORKS = 11
"""Networks that are evaluated at each point of the curves: three landmarks and two in each of four groups."""
STATE_TENSORS = {"adamw": 4, "sgd": 3}
"""Tensors as large as the weights in a checkpoint: weights, average and the optimiser's."""


def estimate_study(config: StudyConfig) -> dict[str, Any]:
    """Return the exact size of the space, and estimates of seconds, peak memory and disk; nothing is stored.

    Two training steps and three evaluations are run and timed; the rest follows from the settings.
    """
    from nas.evaluation import Evaluator
    from nas.training.step import Trainer
    from search_spaces.quantised import architecture_space
    from search_spaces.sharing import SharedWeights

    device = choose_device(config.device)
    data, space = data_and_space(config)
    data = data.to(device)
    shared = SharedWeights(architecture_space(space), config.seed, device)
    num_params = sum(tensor.numel() for tensor in shared.tensors.values())
    trainer = Trainer(shared, data, config.training, config.augmentation, config.seed)
    trainer.step(0)
    step_s = _seconds(lambda: float(trainer.step(1)), 3)
    evaluator = Evaluator(shared, trainer.average, data, data.validation)
    networks = space.decode(space.sample(np.random.default_rng(config.seed), 3))
    evaluation_s = _seconds(lambda: [evaluator.score(space.blueprint(network)) for network in networks], 1) / 3
    parts = _parts(config, trainer.num_steps, step_s, evaluation_s)
    checkpoint_bytes = 4 * num_params * STATE_TENSORS[config.training.optimiser]
    return {
        "study": config.name,
        "space": space.name,
        "size": space.size(),
        "shared_params": num_params,
        "training_steps": trainer.num_steps,
        "evaluations": config.search.evaluations * (1 + len(config.search.compare)),
        "estimated_seconds": {name: round(value, 1) for name, value in parts.items()},
        "estimated_total_seconds": round(sum(parts.values()), 1),
        "estimated_peak_memory_bytes": _resident_bytes() + 2 * checkpoint_bytes,
        "estimated_disk_bytes": 2 * checkpoint_bytes + config.networks * EXPORT_BYTES * num_params + 6 * 2**20,
        "obtained": "size and counts exact; the rest estimated from timed pieces on this machine",
    }


def _parts(config: StudyConfig, num_steps: int, step_s: float, evaluation_s: float) -> dict[str, float]:
    from predictors.target import is_present, parse_target, target

    intervals = -(-num_steps // config.training.checkpoint_every)
    present = [t for t in config.latency.targets if parse_target(t).device == "cpu" or is_present(target(t))]
    timed = len(present) * config.latency.measured_networks * (config.latency.budget_s + 0.5)
    tuned = config.networks * config.finetuning.epochs * num_steps / max(1, config.training.epochs) * step_s
    return {
        "training": num_steps * step_s + NUM_CURVE_NETWORKS * intervals * evaluation_s,
        "latency": timed if config.latency.measure else 0.0,
        "search": config.search.evaluations * (1 + len(config.search.compare)) * evaluation_s,
        "export": config.networks * EXPORT_S + tuned,
    }


def _seconds(function: Callable[[], object], num: int) -> float:
    """Return the median seconds of ``num`` calls."""
    found = []
    for _ in range(num):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
