"""Evaluations on a Ray cluster: actors that share one copy of the weights and images on each node."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.context import choose_device
from experiments.evaluating import Evaluating, Evaluation, Workers
from experiments.ray_cluster import connected
from experiments.ray_workers import RayWorkers
from search_spaces.architecture import Architecture
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.context import Context
    from experiments.stages.training import Trained
    from nas.data.splits import DataSplits
    from nas.tasks import Task


def ray_evaluating(address: str, num: int | None = None) -> Evaluating:
    """Return what evaluates networks in actors of a Ray cluster, each on one core (and one GPU, where the study's is).

    The weights and the images travel through Ray's object store, which holds one copy on each node. Every actor counts
    on one thread, so that scores do not depend on how many there are; the study's own code and plugins must be
    installed on each node.

    Args:
        address: of the cluster; ``local`` starts one on this machine.
        num: actors; as many as the cluster has cores (or GPUs) when None.
    """
    if num is not None and num < 1:
        raise UsageError(f"--workers got {num}: give at least 1")
    return partial(_on_ray, address, num)


@contextmanager
def _on_ray(address: str, num: int | None, context: Context, trained: Trained) -> Iterator[Workers]:
    with connected(address) as ray:
        on_gpu = choose_device(context.config.device).type == "cuda"
        resources = {"num_cpus": 1, "num_gpus": int(on_gpu)}
        num = num or max(1, int(ray.cluster_resources().get("GPU" if on_gpu else "CPU", 1)))
        weights = ray.put({name: tensor.detach().cpu().numpy() for name, tensor in trained.average.items()})
        images = ray.put(images_to_arrays(context.data))
        config = context.config.model_dump_json(exclude_defaults=True)
        # Lost actors are replaced by the pool, which knows what they were at.
        actor = ray.remote(max_restarts=0, **resources)(EvaluationActor)
        workers: RayWorkers[Architecture] = RayWorkers(
            ray, lambda: actor.remote(config, str(Path.cwd()), weights, images), num, Architecture.to_json
        )
        context.talk.say(f"evaluating in {num} workers on Ray ({address})")
        try:
            yield workers
        finally:
            workers.close()


def images_to_arrays(data: DataSplits) -> dict[str, Any]:
    """Return what evaluations need of the data as arrays, which processes of one node share without a copy."""
    sets = {"calibration": data.calibration, "validation": data.validation}
    tensors = {f"{name}.{part}": getattr(images, part) for name, images in sets.items() for part in PARTS}
    arrays = {name: None if tensor is None else tensor.cpu().numpy() for name, tensor in tensors.items()}
    return {**arrays, "class_names": data.class_names, "mean": data.mean, "std": data.std}


def arrays_to_images(arrays: Mapping[str, Any], task: Task) -> DataSplits:
    """Return the splits of ``images_to_arrays`` for a task.

    The training and test sets, which nobody evaluates on, are empty.
    """
    from nas.data.splits import DataSplits, ImageSet

    sets = {
        name: ImageSet(*(_tensor(arrays[f"{name}.{part}"]) for part in PARTS)) for name in ("calibration", "validation")
    }
    none = replace(sets["validation"], **{part: _empty(getattr(sets["validation"], part)) for part in PARTS})
    class_names, mean, std = (arrays[key] for key in ("class_names", "mean", "std"))
    return DataSplits(none, sets["calibration"], sets["validation"], none, class_names, mean, std, task=task)


PARTS = ("images", "labels", "soft_labels", "label_maps", "targets")


def _tensor(array: Any) -> Any:
    """Return an array of the object store as a tensor over the same memory; nobody writes to it."""
    import torch

    if array is None:
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)


def _empty(tensor: Any) -> Any:
    return None if tensor is None else tensor[:0]


class EvaluationActor:
    """Evaluates networks of one study, one after another."""

    def __init__(self, config: str, working_folder: str, weights: Mapping[str, Any], images: Mapping[str, Any]) -> None:
        import json
        import os

        import torch

        from experiments.config import make_config
        from experiments.study_space import make_study_space
        from nas.evaluation import Evaluator
        from search_spaces.sharing import SharedWeights

        torch.set_num_threads(1)
        if os.path.isdir(working_folder):
            # Plugins of the configuration are named from the study's folder.
            os.chdir(working_folder)
        settings = make_config(json.loads(config), "the study")
        device = choose_device(settings.device)
        data = arrays_to_images(images, settings.task.make()).to(device)
        self._space = make_study_space(settings, data.in_channels, data.num_outputs, data.image_size)
        tensors = {name: _tensor(array).to(device) for name, array in weights.items()}
        self._evaluator = Evaluator(SharedWeights(self._space, settings.seed, "meta"), tensors, data, data.validation)

    def ready(self) -> bool:
        """Return once the actor has started."""
        return True

    def run(self, architecture: str) -> Evaluation:
        """Return the score and its spread on validation images of a network, given as canonical JSON."""
        from search_spaces.architecture import read_architecture

        _, _, knobs = read_architecture(architecture)
        return self._evaluator.score_and_spread(self._space.blueprint(self._space.architecture(knobs)))
