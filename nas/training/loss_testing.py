"""The contract of losses and distillations, to be run on those that are your own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from nas.training.losses import OF_CLASSES, Loss, Outputs, tasks_of

NUM_IMAGES, NUM_CLASSES = 6, 4
ON_MAPS = frozenset({"counting", "super_resolution"})


def check_loss(make: Callable[[], Loss], heads_divide: int = 8) -> None:
    """Check that a loss gives one finite number by its arguments alone, and a gradient to what the network gave.

    Networks of two widths and sizes, maps and tokens, hard and soft targets are tried, for a loss on maps maps of
    targets. Training that is resumed at any step relies on all of it.

    Args:
        make: the loss with settings, fresh: ``lambda: losses.get("mine")(strength=2)``.
        heads_divide: channels of the teacher's features are a multiple of it.

    Raises:
        AssertionError: it does not; the message says what.
    """
    for features in ((12, 4, 4), (9, 12)):
        large, small = (example(shape, heads_divide) for shape in (features, _smaller(features)))
        loss, again = (_prepared(make, [large, small]) for _ in range(2))
        for outputs in _tried(tasks_of(loss), large, small):
            _check_one(loss, again, outputs)


def _tried(tasks: frozenset[str], large: Outputs, small: Outputs) -> tuple[Outputs, ...]:
    """Return outputs that a loss of ``tasks`` understands."""
    if tasks & OF_CLASSES:
        soft = replace(large, targets=torch.full((NUM_IMAGES, NUM_CLASSES), 1 / NUM_CLASSES))
        return large, small, soft
    if tasks <= ON_MAPS:
        maps, targets = torch.rand(2, NUM_IMAGES, 1, 5, 4, generator=torch.Generator().manual_seed(1))
        return (replace(large, logits=maps, targets=targets),)
    return large, small


def example(features: tuple[int, ...], heads_divide: int = 8, seed: int = 0) -> Outputs:
    """Return outputs with features of that shape, without the batch axis, and a teacher of five tokens."""
    generator = torch.Generator().manual_seed(seed)
    logits, teacher_logits = torch.randn(2, NUM_IMAGES, NUM_CLASSES, generator=generator)
    return Outputs(
        logits,
        torch.arange(NUM_IMAGES) % NUM_CLASSES,
        torch.randn(NUM_IMAGES, *features, generator=generator),
        teacher_logits,
        torch.randn(NUM_IMAGES, 5, 2 * heads_divide, generator=generator),
    )


def _smaller(features: tuple[int, ...]) -> tuple[int, ...]:
    return (features[0] // 2, *(side // 2 for side in features[1:])) if len(features) == 3 else (4, features[1] // 2)


def _prepared(make: Callable[[], Loss], examples: list[Outputs]) -> Loss:
    loss = make()
    assert loss.needs <= {"teacher", "features"}, f"needs is {set(loss.needs)}: allowed are 'teacher' and 'features'"
    loss.prepare(examples, seed=0)
    return loss


def _check_one(loss: Loss, again: Loss, outputs: Outputs) -> None:
    before = torch.random.get_rng_state()
    value, gradients = _value_and_gradients(loss, outputs)
    assert bool(value.isfinite()), f"the loss is {float(value)}"
    assert all(bool(gradient.isfinite().all()) for gradient in gradients.values()), "a gradient is not finite"
    assert any(bool(gradient.any()) for gradient in gradients.values()), "the network gets no gradient"
    other, others = _value_and_gradients(again, outputs)
    assert torch.equal(value, other), "prepared with the same seed, it gave another value: use no other randomness"
    assert all(torch.equal(gradients[name], others[name]) for name in gradients), "the gradient is another one"
    assert torch.equal(before, torch.random.get_rng_state()), "torch's global generator was used: draw in prepare alone"


def _value_and_gradients(loss: Loss, outputs: Outputs) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and the gradients of logits, features and parameters that it reaches."""
    assert outputs.features is not None
    sources = {"logits": outputs.logits.clone(), "features": outputs.features.clone()}
    sources = {name: tensor.requires_grad_() for name, tensor in sources.items()}
    seen = replace(outputs, logits=sources["logits"], features=sources["features"])
    if "teacher" not in loss.needs:
        seen = replace(seen, teacher_logits=None, teacher_features=None)
    elif "features" not in loss.needs:
        seen = replace(seen, features=None, teacher_features=None)
    value = loss(seen)
    assert value.shape == (), f"the loss has shape {tuple(value.shape)}: give a scalar, the mean over the batch"
    parameters = dict(loss.named_parameters()) if isinstance(loss, nn.Module) else {}
    reached = {**sources, **parameters}
    found = torch.autograd.grad(value, list(reached.values()), allow_unused=True)
    return value.detach(), {name: each for name, each in zip(reached, found, strict=True) if each is not None}
