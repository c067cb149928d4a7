"""Training runs of equal compute, to compare samplers: what one costs, does, and is worth.

Compute is counted in network images: one image passed forward and backward through one network. A forward pass alone
(a sampler that looks at losses) counts as a third, since a backward pass takes twice the MACs of a forward one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from nas.data.splits import DataSplits, ImageSet
    from nas.training.settings import TrainingSettings
    from nas.training.step import Trainer
    from search_spaces.space import Genes, SearchSpace

SPACE: dict[str, Any] = {"name": "ofa_mobilenet", "form": "small_image", "resolutions": [14]}
IMAGES = "Fashion-MNIST: 2,000 training images to tune on, the first 2,000 test images to judge on"
NUM_TRAINING = 60_000
NUM_IMAGES, NUM_CALIBRATION, NUM_JUDGED = 2000, 256, 50
REFERENCE_ERROR_PERCENT = 90.0
"""That of guessing among ten classes."""
FORWARD_SHARE = 1 / 3
RECIPES: dict[str, dict[str, Any]] = {"sandwich": {"distillation": "kl"}}
"""What a sampler is published with beside its draws."""


@dataclass(frozen=True)
class Run:
    """One training run; everything that its result depends on, beside the code.

    Attributes:
        sampler: with its recipe and default settings.
        batch: images of one network's forward pass.
        network_images: the compute.
        seed: of the weights, the order and the draws.
        split: the images that it is judged on: ``validation`` or ``test``.
    """

    sampler: str
    networks_per_step: int
    learning_rate: float
    batch: int
    network_images: int
    seed: int
    split: Literal["validation", "test"]

    @property
    def label(self) -> str:
        """What a person calls it."""
        rate, width = f"learning rate {self.learning_rate:g}", f"{self.networks_per_step} networks a step"
        return f"{self.sampler}, {rate}, {width}, seed {self.seed}, {self.network_images:,} network images"

    @property
    def settings(self) -> TrainingSettings:
        """The settings of the training."""
        from nas.training.settings import TrainingSettings

        return TrainingSettings(
            sampler=self.sampler,
            networks_per_step=self.networks_per_step,
            learning_rate=self.learning_rate,
            batch_size=self.batch,
            **RECIPES.get(self.sampler, {}),
        )


def train_and_judge(job: tuple[Run, str]) -> dict[str, Any]:
    """Train one run on the Fashion-MNIST in a folder and return its plain result."""
    from experiments.counted_weights import CountedWeights
    from nas.data.settings import AugmentSettings
    from nas.training.step import Trainer

    run, folder = job
    data = load_images(folder)
    start = time.process_time()
    augmentation = AugmentSettings(max_shift=0.08, max_rotation_degrees=0, max_scale=0, horizontal_flip=True)
    shared = CountedWeights(make_space(data.in_channels, data.num_classes), run.seed)
    trainer = Trainer(shared, data, run.settings, augmentation, run.seed)
    trainer.num_steps = num_steps(run, shared.space)
    for step in range(trainer.num_steps):
        trainer.step(step)
    return {
        "num_steps": trainer.num_steps,
        **shared.counted(),
        **judge(trainer, getattr(data, run.split)),
        "seconds": round(time.process_time() - start, 1),
    }


@lru_cache(maxsize=1)
def load_images(folder: str) -> DataSplits:
    """Return the splits of the Fashion-MNIST in ``folder``; kept, as a process trains several runs."""
    from nas.data.settings import DataSettings
    from nas.data.splits import load_data

    fraction = NUM_IMAGES / NUM_TRAINING
    settings = {"validation_fraction": fraction, "calibration_images": NUM_CALIBRATION}
    return load_data(DataSettings(source="fashion_mnist", path=folder, **settings), seed=0)


def make_space(in_channels: int, num_classes: int) -> SearchSpace:
    """Return the space of the comparison."""
    from search_spaces.spaces import space

    settings = {key: value for key, value in SPACE.items() if key != "name"}
    return space(SPACE["name"], in_channels=in_channels, num_classes=num_classes, **settings)


def num_steps(run: Run, space: SearchSpace) -> int:
    """Return the optimiser steps that the compute of ``run`` pays for.

    Raises:
        UsageError: not even one.
    """
    found = int(run.network_images / step_images(run, space))
    if found < 1:
        needed = round(step_images(run, space))
        raise UsageError(f"network_images got {run.network_images}: one step of {run.label} takes {needed}")
    return found


def step_images(run: Run, space: SearchSpace) -> float:
    """Return the network images that one step takes on average, what the sampler itself looks at included.

    The sampler is asked for draws, and told invented numbers, to see how many networks it wants to look at.
    """
    import numpy as np

    from nas.training.samplers import Draw, samplers

    looked = 0

    def look(genes: Genes) -> Any:
        nonlocal looked
        looked += len(genes)
        return np.linspace(1.0, 2.0, len(genes))

    sampler, num_draws = samplers.get(run.sampler)(space), 50
    for number in range(num_draws):
        sampler.draw(Draw(np.random.default_rng(number), run.networks_per_step, number / num_draws, look))
    forward, looked = looked / num_draws, 0
    if sampler.measure_every:
        sampler.measure(look)
    measured = looked / sampler.measure_every if sampler.measure_every else 0.0
    trained = 1 if sampler.batches == "split" else run.networks_per_step
    return run.batch * (trained + FORWARD_SHARE * forward + measured)


def judged_networks(space: SearchSpace) -> Genes:
    """Return the 50 networks, always the same: the smallest, the largest, and random ones."""
    import numpy as np

    ends = space.encode([space.smallest(), space.largest()])
    return np.concatenate([ends, space.sample(np.random.default_rng(0), NUM_JUDGED - len(ends))])


def judge(trainer: Trainer, images: ImageSet) -> dict[str, Any]:
    """Return accuracies (percent) of the judged networks on the first images, and the hypervolume of error and MACs.

    The volume is a share of the reference's: ``REFERENCE_ERROR_PERCENT`` and the MACs of the largest network.
    """
    import numpy as np

    from nas.data.splits import ImageSet
    from nas.evaluation import Evaluator
    from nas.search.pareto import hypervolume
    from search_spaces.population import PopulationCost

    space = trainer.shared.space
    genes = judged_networks(space)
    chosen = ImageSet(images.images[:NUM_IMAGES], images.labels[:NUM_IMAGES])
    evaluator = Evaluator(trainer.shared, trainer.average, trainer.data, chosen)
    accuracies = np.array([evaluator.score(space.blueprint(each)) for each in space.decode(genes)])
    macs = PopulationCost(space).counts(genes)[:, 1]
    points = np.stack([(100 - accuracies) / REFERENCE_ERROR_PERCENT, macs / macs.max()], axis=1)
    return {
        "hypervolume": hypervolume(points, np.ones(2)),
        "smallest_accuracy": float(accuracies[0]),
        "largest_accuracy": float(accuracies[1]),
        "mean_accuracy": float(accuracies.mean()),
        "accuracies": accuracies.tolist(),
    }
