"""The contract of a task, to be run on one of your own: ``check_task_contract(load_data(settings, 0, task))``."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nas.data.batches import prepare
from nas.data.splits import DataSplits
from nas.training.losses import Outputs, check_task, make_loss
from search_spaces.building import build
from search_spaces.spaces import space

NUM_IMAGES = 6
TOLERANCE = 0.05
"""Of a target of 0..255: the places that are sampled are rounded."""


def check_task_contract(data: DataSplits) -> None:
    """Check that head, loss and metric of a task understand each other, on the data that it prepared.

    Raises:
        AssertionError: they do not; the message says where.
        UsageError: the loss is for other tasks.
    """
    task, truth = data.task, data.validation.truth[:NUM_IMAGES]
    outputs = _outputs(data)
    rows = task.rows(outputs, truth)
    assert len(rows) == len(outputs), f"rows are of {len(rows)} of {len(outputs)} images"
    parts = [task.rows(outputs[part], truth[part]) for part in (slice(0, 2), slice(2, None))]
    assert torch.equal(torch.cat(parts), rows), "the rows of an image depend on the others of its batch"
    assert math.isfinite(task.value(rows)), f"the metric is {task.value(rows)}"
    guess = task.guess(data.validation)
    guessed = task.metric.rank(task.value(guess))
    assert guessed < task.metric.rank(task.metric.best), "a guess is as good as the best: look at direction and best"
    assert math.isfinite(task.spread(guess)), "the spread is not finite"
    _check_loss(data, outputs, truth)
    whole = torch.eye(2, 3).expand(len(truth), -1, -1)
    changed = task.changed(truth, whole, "zeros")
    apart = float((changed.float() - truth.float()).abs().max())
    assert apart < TOLERANCE, f"targets of unchanged images change by {apart:.3g}"


def _check_loss(data: DataSplits, outputs: Tensor, truth: Tensor) -> None:
    task = data.task
    given = outputs.detach().requires_grad_()
    aligned, targets = task.aligned(given, truth)
    loss = make_loss(task.loss, 0.0)
    check_task(loss, f"loss {task.loss!r}", task.name)
    value = loss(Outputs(aligned, targets))
    (gradient,) = torch.autograd.grad(value, given)
    assert bool(gradient.isfinite().all()), "the gradient of the loss is not finite"
    assert bool(gradient.any()), "the loss gives the network no gradient"
    matched = task.matched(outputs, aligned.detach())
    assert matched.shape == aligned.shape, f"a teacher's outputs are {tuple(matched.shape)}, not {tuple(aligned.shape)}"


@torch.no_grad()
def _outputs(data: DataSplits) -> Tensor:
    """Return what a small network with the task's head gives for the first validation images."""
    height, width = data.image_size
    head = data.task.head()
    settings = {} if head is None else {"head": dict(head), "aspect": (height, width)}
    family = space(
        "ofa_mobilenet",
        form="small_image",
        in_channels=data.in_channels,
        num_classes=data.num_outputs,
        resolutions=(height,),
        width_multipliers=(0.25,),
        **settings,
    )
    blueprint = family.blueprint(family.smallest())
    images = prepare(data.validation.images[:NUM_IMAGES], blueprint.resolution, data.mean, data.std)
    found: Tensor = build(blueprint).eval()(images)
    return found
