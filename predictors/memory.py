"""The most memory that a network really takes in one forward pass, by the allocator's own record."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from predictors.execution import module_run
from predictors.measurement import Measurement
from predictors.roofline import BYTES
from predictors.runtime import software_versions
from predictors.target import Layout, Precision
from search_spaces.layers import Layer

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class PeakMemory:
    """Bytes at the fullest moment of a forward pass.

    Attributes:
        weights_bytes: parameters and buffers, alive all the time.
        image_bytes: the batch of images, which the caller holds.
        working_bytes: activations and scratch space of kernels at their peak, without the two above.
    """

    weights_bytes: int
    image_bytes: int
    working_bytes: int

    @property
    def peak_bytes(self) -> int:
        """The sum."""
        return self.weights_bytes + self.image_bytes + self.working_bytes

    def measurement(self, target: str) -> Measurement:
        """Return the sum as a measurement on ``target``."""
        kind = "cpu" if target.startswith("cpu") else "gpu"
        versions = software_versions("cpu" if kind == "cpu" else "gpu")
        return Measurement("peak_memory_bytes", self.peak_bytes, "bytes", "measured", None, target, versions)


def peak_memory(
    module: nn.Module, images: torch.Tensor, precision: Precision = "fp32", layout: Layout = "channels_last"
) -> PeakMemory:
    """Return what ``module`` takes on ``images`` (batch, channels, height, width) in eager evaluation mode.

    On a CPU every allocation and release of PyTorch's allocator is recorded by its profiler; what libraries take past
    it is not seen. On a GPU the allocator counts itself.
    """
    from itertools import chain

    size = {"fp16": 2, "bf16": 2}.get(precision, 4)
    tensors = chain(module.parameters(), module.buffers())
    weights = sum(each.numel() * (size if each.is_floating_point() else each.element_size()) for each in tensors)
    with module_run(module, images, precision, layout=layout) as run:
        # The first run allocates what stays.
        run()
        working = _gpu_working(run) if images.is_cuda else _cpu_working(run)
    return PeakMemory(weights, images.numel() * size, working)


def _cpu_working(run: Any) -> int:
    # The profiler's own library tells stderr of each start and stop unless it is told not to.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        kept = run()
    del kept
    kineto: Any = profiler.profiler
    return peak_of((e.start_ns(), e.nbytes()) for e in kineto.kineto_results.events() if e.name() == "[memory]")


def _gpu_working(run: Any) -> int:
    import torch

    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def estimated_peak_bytes(
    blocks: Iterable[Sequence[Layer]], image_elements: int, batch_size: int = 1, precision: Precision = "fp32"
) -> int:
    """Return the peak memory of a forward pass in closed form: weights, and the fullest of its layers.

    While a layer runs, its input and output are alive, a residual that waits for it, and the two that callers hold: the
    images, and the input of the block. ``Cost.peak_memory_bytes`` counts the first three alone.

    Args:
        blocks: the layers of each block in order.
        image_elements: of one image.
        batch_size: images at once.
        precision: of weights and activations.
    """
    params = working = 0
    for layers in blocks:
        for number, layer in enumerate(layers):
            block_input = layers[0].inputs if number else 0
            params += layer.params
            held = max(layer.held, block_input) * batch_size
            working = max(working, layer.elements(batch_size) + held)
    return BYTES[precision] * (params + image_elements * batch_size + working)


def peak_of(changes: Any) -> int:
    """Return the highest running sum, from 0, of (time, bytes taken or given back)."""
    peak = held = 0
    for _, num_bytes in sorted(changes, key=lambda change: change[0]):
        held += num_bytes
        peak = max(peak, held)
    return peak
