"""Training on a GPU: no step waits for it, and a training that was stopped goes on as if it had not been."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from toy_training import convolutions, images, same_state, settings, transformers

from nas.data.settings import AugmentSettings
from nas.training.checkpoint import load_tensors, save_tensors
from nas.training.samplers import samplers
from nas.training.step import Trainer
from search_spaces.sharing import SharedWeights

pytestmark = pytest.mark.gpu

SPACES = {"convolutions": convolutions, "transformers": transformers}
WAITING = frozenset({"shiftnas"})
"""Samplers that read gradients before they choose: waiting is what they do."""


def trainer(space: str, **given: object) -> Trainer:
    shared = SharedWeights(SPACES[space](), 1, "cuda")
    return Trainer(shared, images().to("cuda"), settings(**given), AugmentSettings(), seed=7)


@contextmanager
def waiting_forbidden() -> Iterator[None]:
    with warnings.catch_warnings():
        # That it is a prototype, which does not yet find every kind of waiting.
        warnings.simplefilter("ignore", UserWarning)
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("sampler", sorted(set(samplers.names()) - WAITING))
@pytest.mark.parametrize("space", SPACES)
def test_no_step_waits_for_the_device(space: str, sampler: str) -> None:
    made = trainer(space, sampler=sampler)
    made.step(0)
    with waiting_forbidden():
        with pytest.raises(RuntimeError, match="synchroniz"):
            torch.ones((), device="cuda").item()
        losses = [made.step(step) for step in range(1, 5)]
    assert bool(torch.stack(losses).isfinite().all())


@pytest.mark.parametrize("space", SPACES)
def test_saved_and_loaded_mid_way_training_ends_in_the_same_bits(tmp_path, space: str) -> None:
    # bfloat16 as a training on a GPU has it; algorithms that repeat, as the order of additions is no part of the state.
    torch.backends.cudnn.deterministic = True
    straight, first, second = (trainer(space) for _ in range(3))
    for step in range(6):
        straight.step(step)
    for step in range(3):
        first.step(step)
    save_tensors(tmp_path / "state", first.state(), {})
    second.load(load_tensors(tmp_path / "state")[0])
    for step in range(3, 6):
        second.step(step)
    torch.backends.cudnn.deterministic = False
    assert same_state(straight, second)


def test_a_step_on_the_gpu_is_the_step_on_the_cpu() -> None:
    on_gpu = trainer("transformers", precision="float32")
    on_cpu = Trainer(SharedWeights(transformers(), 1), images(), settings(precision="float32"), AugmentSettings(), 7)
    with torch.no_grad():
        for name, tensor in on_cpu.shared.tensors.items():
            tensor.copy_(on_gpu.shared.tensors[name])
    # Random numbers differ between devices: the same networks and images, each changed in its own way.
    assert on_gpu.architectures(0) == on_cpu.architectures(0)
    assert float(on_gpu.accumulate(0)) == pytest.approx(float(on_cpu.accumulate(0)), rel=0.1)
