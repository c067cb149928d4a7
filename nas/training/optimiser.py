"""The optimiser of the shared tensors, the learning rate of a step, and the moving average."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from nas.training.settings import FinetuneSettings, TrainingSettings

Settings = TrainingSettings | FinetuneSettings


def make_optimiser(tensors: Mapping[str, nn.Parameter], settings: Settings) -> torch.optim.Optimizer:
    """Return the optimiser; tensors of one axis and tables (tokens, positions, relative tables) do not decay."""
    decayed = [t for name, t in tensors.items() if _decays(name, t)]
    others = [t for name, t in tensors.items() if not _decays(name, t)]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    fused = all(tensor.is_cuda for tensor in tensors.values())
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=fused, foreach=not fused)
    return torch.optim.SGD(
        groups, lr=settings.learning_rate, momentum=0.9, nesterov=True, fused=fused, foreach=not fused
    )


def _decays(name: str, tensor: Tensor) -> bool:
    return tensor.ndim > 1 and name.endswith(".weight")


def learning_rate(step: int, num_steps: int, settings: Settings) -> float:
    """Return the learning rate of ``step``: linear warm-up, then a cosine that ends at zero."""
    warmup = round(settings.warmup_fraction * num_steps)
    if step < warmup:
        return settings.learning_rate * ((step + 1) / warmup)
    progress = (step - warmup) / max(1, num_steps - warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


@torch.no_grad()
def update_average(average: Iterable[Tensor], tensors: Iterable[Tensor], step: int, decay: float) -> None:
    """Move ``average`` towards ``tensors``: the decay rises as (1 + step) / (10 + step) up to ``decay``."""
    weight = 1.0 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average), list(tensors), weight)
