"""Differentiable choice against doing the same everywhere: OSNet's placement of instance norms.

The choice is searched inside the shared weights; then the network that it found, and those that have one placement in
all blocks, are trained from scratch, alone, by one recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from search_spaces.errors import UsageError
from search_spaces.osnet_choices import INSTANCE_NORMS

if TYPE_CHECKING:
    from nas.data.splits import DataSplits
    from search_spaces.architecture import Architecture
    from search_spaces.space import SearchSpace


@benchmarks.register("choice")
def run(
    source: str = "digits",
    path: str = "",
    max_images: int = 0,
    search_epochs: int = 20,
    epochs: int = 20,
    learning_rate: float = 3e-3,
    seeds: str = "0,1,2",
) -> dict[str, Any]:
    """Search by gradients where OSNet normalises each image, and train the choice and its rivals alone: accuracy.

    Args:
        source: of the images.
        path: of the source's files.
        max_images: stratified sample of so many; 0 takes all.
        search_epochs: of the search, in each of which a slot runs all of its choices.
        epochs: of training one network alone.
        learning_rate: of the search and of training alone.
        seeds: of weights, order, noise and split, separated by commas.
    """
    if not seeds.replace(",", "").isdigit() or min(search_epochs, epochs) < 1:
        raise UsageError(
            f"seeds {seeds!r}, search_epochs {search_epochs}, epochs {epochs}: give numbers separated by commas, and "
            "1 epoch or more"
        )
    from nas.data.settings import DataSettings
    from nas.data.splits import load_data
    from search_spaces.spaces import space as make_space

    settings = DataSettings(source=source, path=path, max_images=max_images or None)
    rows: list[dict[str, Any]] = []
    for seed in map(int, seeds.split(",")):
        data = load_data(settings, seed)
        made = make_space(
            "osnet", form="small_image", in_channels=data.in_channels, num_classes=len(data.class_names), heights=(12,)
        )
        for label, architecture in _networks(made, data, search_epochs, learning_rate, seed).items():
            rows.append({"seed": seed, "norms": label, **_alone(made, architecture, data, epochs, learning_rate, seed)})
    return {
        "benchmark": "choice",
        "data": settings.model_dump(mode="json"),
        "search_epochs": search_epochs,
        "epochs": epochs,
        "networks": rows,
        "machine": machine(),
        "versions": versions(),
    }


def _networks(
    space: SearchSpace, data: DataSplits, epochs: int, learning_rate: float, seed: int
) -> dict[str, Architecture]:
    """Return the network that the search finds, and those with one placement everywhere."""
    from nas.data.settings import AugmentSettings
    from nas.training.differentiable import DifferentiableChoice
    from nas.training.settings import TrainingSettings
    from search_spaces.sharing import SharedWeights

    knobs = [knob.name for knob in space.knobs if knob.name.endswith("instance_norm")]
    training = TrainingSettings(epochs=epochs, learning_rate=learning_rate)
    shared = SharedWeights(space, seed)
    search = DifferentiableChoice(shared, data, training, AugmentSettings(), seed, space.largest(), knobs)
    for step in range(search.num_steps):
        search.step(step)
    found = search.architecture()
    networks = {"chosen: " + ", ".join(str(found.values[knob]) for knob in knobs): found}
    for norm in INSTANCE_NORMS:
        networks[f"{norm} everywhere"] = space.architecture({**space.largest().values, **dict.fromkeys(knobs, norm)})
    return networks


def _alone(
    space: SearchSpace, architecture: Architecture, data: DataSplits, epochs: int, learning_rate: float, seed: int
) -> dict[str, float]:
    """Return the accuracies of a network after training it alone."""
    from nas.data.settings import AugmentSettings
    from nas.evaluation import Batches, module_rows
    from nas.finetune import finetune
    from nas.training.settings import FinetuneSettings
    from search_spaces.building import build

    blueprint = space.blueprint(architecture)
    settings = FinetuneSettings(epochs=epochs, learning_rate=learning_rate, warmup_fraction=0.1)
    module = finetune(build(blueprint, seed=seed), blueprint, data, settings, AugmentSettings(), seed)
    return {
        f"{name}_percent": round(
            data.task.value(module_rows(module, Batches(split, data), blueprint.resolution, data.task)), 2
        )
        for name, split in (("validation", data.validation), ("test", data.test))
    }
