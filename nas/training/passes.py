"""The forward passes of the networks of one step over one shard of its images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from nas.training.batch import Batch
from nas.training.objective import Forward, Objective
from nas.training.teacher import Seen
from search_spaces.blueprint import Blueprint


def network_losses(
    blueprints: Sequence[Blueprint],
    batch_of: Callable[[int], Batch],
    forward: Forward,
    objective: Objective,
    record: Callable[[Tensor, Batch], None],
    teacher: int | None,
) -> Iterator[Tensor]:
    """Yield the loss of each network of a step, the teacher's first; each may be backpropagated before the next.

    Args:
        blueprints: the networks.
        batch_of: network number to its batch; the same object where networks share one.
        forward: runs a network.
        objective: the losses.
        record: told the logits of each network and its batch.
        teacher: the number of the network that teaches the others; None: there is none among them.
    """
    others = [number for number in range(len(blueprints)) if number != teacher]
    taught: dict[Batch, Seen | None] = {}
    for number in others if teacher is None else [teacher, *others]:
        blueprint, batch = blueprints[number], batch_of(number)
        if number != teacher and batch not in taught:
            taught[batch] = (
                objective.exported(batch) if teacher is None else _taught(blueprints[teacher], batch, forward)
            )
        seen = forward(blueprint, batch.images(blueprint.resolution))
        record(seen[0].detach(), batch)
        if number == teacher:
            taught[batch] = _without_gradient(seen)
            yield objective.of(seen, batch, None)
        else:
            yield objective.of(seen, batch, taught[batch])


@torch.no_grad()
def _taught(teacher: Blueprint, batch: Batch, forward: Forward) -> Seen:
    return forward(teacher, batch.images(teacher.resolution))


def _without_gradient(seen: Seen) -> Seen:
    logits, features = seen
    return logits.detach(), None if features is None else features.detach()
