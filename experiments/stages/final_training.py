"""The training of a chosen network alone, after the search: fine-tuned, or re-trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas.finetune import finetune
from search_spaces.building import build

if TYPE_CHECKING:
    from torch import nn

    from experiments.config import StudyConfig
    from experiments.context import Context
    from nas.export.card import Weights
    from nas.tasks import Task
    from search_spaces.blueprint import Blueprint


def weights_by_name(context: Context, blueprint: Blueprint, inherited: nn.Module) -> dict[Weights, nn.Module]:
    """Return the network with each of its weights, in evaluation mode: inherited, and trained alone where it is.

    Random weights are those of the study's seed: as the shared weights of a space of this network alone would begin.

    Raises:
        UsageError: the batch size is larger than the training set, or the training diverged.
    """
    config = context.config
    name = trained_name(config)
    if name is None:
        return {"inherited": inherited}
    begin = inherited if name == "fine-tuned" else build(blueprint, seed=config.seed)
    trained = finetune(
        begin, blueprint, context.data, config.finetuning, config.augmentation, config.seed, context.device
    )
    return {"inherited": inherited, name: trained}


def trained_name(config: StudyConfig) -> Weights | None:
    """Return what the weights of the networks trained alone are called; None where there are none."""
    if not config.finetuning.epochs:
        return None
    return "fine-tuned" if config.finetuning.start == "inherited" else "re-trained"


def recipe(config: StudyConfig, task: Task, written: Weights) -> str | None:
    """Return how a network was trained alone, a sentence that says whose weights were written; None without."""
    name, settings = trained_name(config), config.finetuning
    if name is None:
        return None
    smoothing = f"label smoothing {settings.label_smoothing:g}, " if task.loss == "cross_entropy" else ""
    text = (
        f"{settings.epochs} epochs alone{'' if name == 'fine-tuned' else ' from random weights'}, "
        f"{settings.optimiser}, learning rate {settings.learning_rate:g} (warm-up over {settings.warmup_fraction:g} "
        f"of the steps, then a cosine), weight decay {settings.weight_decay:g}, {smoothing}"
        f"batch {settings.batch_size}, seed {config.seed}"
    )
    if written == name:
        return text + "."
    return f"tried ({text}) and left out: on validation images the inherited weights do better. The files hold those."
