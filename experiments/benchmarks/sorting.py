"""What sorting channels by importance is worth: accuracy of cut networks once the largest alone has been trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from nas.data.settings import DataSettings
    from nas.data.splits import DataSplits
    from nas.training.step import Trainer
    from search_spaces.architecture import Architecture
    from search_spaces.space import SearchSpace

LARGEST_ALONE = [{"knobs": ["*resolution"], "share": 1e9}, {"knobs": ["*"], "share": 1}]
"""Phases of the progressive sampler of which the first, images alone elastic, lasts all of training."""


@benchmarks.register("sorting")
def run(
    space: str = "ofa_mobilenet",
    knob: str = "expansion",
    source: str = "digits",
    path: str = "",
    max_images: int = 0,
    epochs: int = 30,
    seeds: str = "0,1,2",
) -> dict[str, Any]:
    """Cut networks at one kind of knob before and after sorting channels: validation accuracy in percent.

    Args:
        space: the space, in its form for small images.
        knob: end of the names of the ordered knobs that are cut, all at the same place from their largest value.
        source: of the images.
        path: of the source's files.
        max_images: stratified sample of so many; 0 takes all.
        epochs: of training the largest network alone.
        seeds: of weights, order and split, separated by commas.
    """
    if not seeds.replace(",", "").isdigit() or epochs < 1:
        raise UsageError(f"seeds {seeds!r}, epochs {epochs}: give numbers separated by commas, and 1 epoch or more")
    from nas.data.settings import DataSettings

    data = DataSettings(source=source, path=path, max_images=max_images or None)
    rows = [row for seed in seeds.split(",") for row in _rows(space, knob, data, epochs, int(seed))]
    return {
        "benchmark": "sorting",
        "space": space,
        "knob": knob,
        "epochs": epochs,
        "data": data.model_dump(mode="json"),
        "networks": rows,
        "largest_output_change": max(row.pop("output_change") for row in rows),
        "machine": machine(),
        "versions": versions(),
    }


def _rows(space: str, knob: str, data: DataSettings, epochs: int, seed: int) -> list[dict[str, Any]]:
    import torch

    from nas.data.settings import AugmentSettings
    from nas.evaluation import Evaluator
    from nas.training.batch import training_batch
    from nas.training.importance import sort_in_training

    made, images = _space_and_images(space, data, seed)
    cuts = [made.blueprint(each) for each in _cuts(made, knob)]
    trainer = _largest_trained(made, images, epochs, seed)
    shared = trainer.shared
    evaluator = Evaluator(shared, trainer.average, images, images.validation)
    x, _ = training_batch(images, cuts[0].resolution, 64, AugmentSettings(), seed, 0)
    with torch.no_grad():
        before, output = [evaluator.score(each) for each in cuts], shared.run(cuts[0], x)
        sort_in_training(shared, trainer.average, trainer.optimiser)
        after, change = [evaluator.score(each) for each in cuts], shared.run(cuts[0], x) - output
    return [
        {
            "seed": seed,
            "values_cut": number,
            "unsorted_percent": round(before[number], 2),
            "sorted_percent": round(after[number], 2),
            "output_change": float(change.abs().max() / output.abs().max()),
        }
        for number in range(len(cuts))
    ]


def _space_and_images(space: str, data: DataSettings, seed: int) -> tuple[SearchSpace, DataSplits]:
    from nas.data.splits import load_data
    from search_spaces.spaces import space as make_space

    images = load_data(data, seed)
    form = {"form": "small_image", "in_channels": images.in_channels, "num_classes": len(images.class_names)}
    return make_space(space, **form), images


def _largest_trained(space: SearchSpace, images: DataSplits, epochs: int, seed: int) -> Trainer:
    """Return the trainer of shared weights of which the largest network alone has been trained."""
    from nas.data.settings import AugmentSettings
    from nas.training.settings import TrainingSettings
    from nas.training.step import Trainer
    from search_spaces.sharing import SharedWeights

    phases = {"phases": LARGEST_ALONE}
    settings = TrainingSettings(sampler="progressive", sampler_settings=phases, networks_per_step=1, epochs=epochs)
    trainer = Trainer(SharedWeights(space, seed), images, settings, AugmentSettings(), seed)
    for step in range(trainer.num_steps):
        trainer.step(step)
    return trainer


def _cuts(space: SearchSpace, knob: str) -> list[Architecture]:
    """Return the largest network, and those whose knobs of that name are 1, 2, ... values below their largest."""
    columns = [column for name, column in space.column.items() if name.endswith(knob) and space.knobs[column].ordered]
    if not columns:
        raise UsageError(f"space {space.name!r} has no ordered knob whose name ends in {knob!r}: choose another")
    genes = space.encode([space.largest()]).repeat(int(space.num_choices[columns].max()), axis=0)
    for number in range(len(genes)):
        genes[number, columns] = (genes[number, columns] - number).clip(min=0)
    return list(space.decode(genes))
