"""How a step's networks share images, and how many steps that makes: by the settings alone. No torch here."""

from __future__ import annotations

from nas.training.samplers import Batches, samplers
from nas.training.settings import TrainingSettings
from search_spaces.errors import UsageError


def batches_of(settings: TrainingSettings) -> Batches:
    """Return how the networks of a step share images."""
    return samplers.get(settings.sampler).batches


def num_groups(settings: TrainingSettings) -> int:
    """Return the equal groups that a batch is cut in, one a network; 1 where networks have whole batches."""
    return settings.networks_per_step if batches_of(settings) == "split" else 1


def num_steps(num_batches: int, settings: TrainingSettings) -> int:
    """Return the optimiser steps that pass ``num_batches`` through one network each."""
    own = settings.networks_per_step if batches_of(settings) == "own" else 1
    return max(1, num_batches // own)


def check_parts(settings: TrainingSettings) -> None:
    """Raise UsageError where a batch can't be cut in as many equal parts as the settings ask for."""
    groups, shards = num_groups(settings), settings.gradient_shards
    num = groups * shards
    if num == 1 or (settings.batch_size % num == 0 and settings.batch_size >= 2 * num):
        return
    networks = f"{groups} networks x " if groups > 1 else ""
    raise UsageError(
        f"training.batch_size got {settings.batch_size}: {networks}{shards} gradient_shards cut it in {num} equal "
        f"parts of 2 images or more: give a multiple of {num}, at least {2 * num}"
    )
