"""Small spaces, images and trainers for the tests of training; run as a program, it trains until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits, ImageSet
from nas.training.loop import Watch, train
from nas.training.settings import TrainingSettings
from nas.training.step import Trainer
from search_spaces.knobs import Knob
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import space

IDENTITY = {"space": "toy", "training": {"epochs": 4, "sampler": "any"}, "seed": 0}


class KnobsOnly(SearchSpace):
    """Knobs of every kind, for what never builds a network."""

    name = "knobs_only"

    def make_knobs(self):
        return [
            Knob("depth", (1, 2, 3)),
            Knob("operator", ("conv", "attention", "pool"), ordered=False),
            Knob("kernel", (3, 5, 7), True, "operator", ("conv",)),
            Knob("width", (16, 24, 32, 48)),
            Knob("block2.ratio", (1.0, 2.0), True, "depth", (2, 3)),
            Knob("block3.ratio", (1.0, 2.0), True, "depth", (3,)),
        ]

    def blueprint(self, architecture):
        raise NotImplementedError

    def position_knobs(self):
        return {}


def knobs_only() -> SearchSpace:
    return KnobsOnly(SpaceSettings())


def convolutions() -> SearchSpace:
    return space("ofa_mobilenet", form="small_image", resolutions=(8, 12), in_channels=1, num_classes=3)


def transformers() -> SearchSpace:
    form = {"form": "small_image", "resolution": 8, "widths": (16, 24), "depths": (1, 2), "heads": (1, 2)}
    return space("autoformer", **form, in_channels=1, num_classes=3)


def images(seed: int = 0) -> DataSplits:
    """Three classes of noisy 8 x 8 images: 48 training, 20 calibration, 30 validation, 12 test."""
    generator = torch.Generator().manual_seed(seed)
    patterns = torch.randint(0, 180, (3, 1, 8, 8), generator=generator)

    def some(num: int) -> ImageSet:
        labels = torch.arange(num) % 3
        noise = torch.randint(0, 76, (num, 1, 8, 8), generator=generator)
        return ImageSet((patterns[labels] + noise).to(torch.uint8), labels)

    return DataSplits(some(48), some(20), some(30), some(12), ("a", "b", "c"), (0.5,), (0.25,))


def settings(**given) -> TrainingSettings:
    return TrainingSettings(**{"epochs": 4, "batch_size": 8, "checkpoint_every": 5, **given})


def trainer(made: SearchSpace, kind: type[Trainer] = Trainer, data: DataSplits | None = None, **given) -> Trainer:
    return kind(SharedWeights(made, seed=1), data or images(), settings(**given), AugmentSettings(), seed=7)


def same_state(one: Trainer, other: Trainer) -> bool:
    """Return whether all that the next step depends on is equal bit for bit."""
    first, second = one.state(), other.state()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def main() -> None:
    """Train by the sampler given in the folder given, and print every interval that begins."""
    made = trainer(transformers(), epochs=40, sampler=sys.argv[2])
    train(made, Path(sys.argv[1]), IDENTITY, Watch(begin=lambda step: print(step, flush=True)))


if __name__ == "__main__":
    main()
