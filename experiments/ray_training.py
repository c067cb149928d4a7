"""Training on a Ray cluster: Ray Train's workers train and write checkpoints; the study's process then reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from experiments.config import StudyConfig
from experiments.context import Together, choose_device
from experiments.ray_cluster import import_ray
from search_spaces.errors import NasError

MAX_RESTARTS = 3
"""Of all workers, after one is lost: an error that comes back each time ends the training in good time."""


def ray_together(address: str, num: int) -> Together:
    """Return what trains a study in ``num`` workers of a Ray cluster before this process goes on.

    When a worker or its node is lost, all begin again elsewhere from the last checkpoint, with the same end.

    Args:
        address: of the cluster; ``local`` starts one on this machine.
        num: workers, a power of two. They must see the study's folder and its data under the same paths.
    """
    return partial(_on_ray, address, num)


@contextmanager
def _on_ray(address: str, num: int, config: StudyConfig, folder: Path) -> Iterator[None]:
    ray = import_ray()
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchConfig, TorchTrainer

    from nas.training.gradients import Processes

    Processes(0, num).shards(config.training.gradient_shards)
    on_gpu = choose_device(config.device).type == "cuda"
    started = not ray.is_initialized()
    if started:
        ray.init(address, log_to_driver=True)
    try:
        TorchTrainer(
            _worker,
            train_loop_config={
                "config": config.model_dump_json(exclude_defaults=True),
                "folder": str(folder.resolve()),
                "working_folder": str(Path.cwd()),
            },
            torch_config=TorchConfig(backend="nccl" if on_gpu else "gloo"),
            scaling_config=ScalingConfig(num_workers=num, use_gpu=on_gpu),
            run_config=RunConfig(
                name=folder.name,
                storage_path=str((folder / "ray").resolve()),
                failure_config=FailureConfig(max_failures=MAX_RESTARTS),
            ),
        ).fit()
    except (TrainingFailedError, ray.exceptions.RayError) as error:
        reason = " ".join(str(error).split())
        raise NasError(f"training on Ray failed: {reason}: the same command goes on from the last checkpoint") from None
    finally:
        if started:
            ray.shutdown()
    yield


def _worker(given: dict[str, Any]) -> None:
    """Train as one of Ray's workers."""
    import json
    import os

    from experiments.config import make_config
    from experiments.processes import follow

    # Ray Train gives each worker a folder of its own; paths in the configuration are relative to the study's.
    os.chdir(given["working_folder"])
    follow(make_config(json.loads(given["config"]), "the study"), Path(given["folder"]))
