"""How long a network takes, as a module or as an ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from predictors.execution import module_run, onnx_run
from predictors.stopwatch import cuda_graph
from predictors.target import Layout, Precision, Runtime
from predictors.timing import DEFAULT_PLAN, Timing, TimingPlan, time_callable
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import nn


def time_module(
    module: nn.Module,
    images: torch.Tensor,
    precision: Precision = "fp32",
    *,
    runtime: Runtime = "eager",
    layout: Layout = "channels_last",
    plan: TimingPlan = DEFAULT_PLAN,
    num_threads: int | None = None,
) -> Timing:
    """Return how long ``module`` takes on ``images`` in evaluation mode, without gradients.

    Args:
        module: any network; a copy is timed, it stays as it is.
        images: (batch, channels, height, width) on the device to time on.
        precision: as in ``module_run``.
        runtime: ``eager`` or ``compiled``; compiling happens before the warm-up and is not timed.
        layout: memory format of weights and images.
        plan: as in ``time_callable``.
        num_threads: as in ``time_callable``.

    Raises:
        UsageError: ``images`` is empty or has another number of axes, or the runtime takes no module.
    """
    if images.ndim != 4 or not images.numel():
        raise UsageError(f"images have shape {tuple(images.shape)}: give (batch, channels, height, width), none zero")
    return time_part(module, images, precision, runtime=runtime, layout=layout, plan=plan, num_threads=num_threads)


def time_part(
    module: nn.Module,
    inputs: torch.Tensor,
    precision: Precision = "fp32",
    *,
    runtime: Runtime = "eager",
    layout: Layout = "channels_last",
    plan: TimingPlan = DEFAULT_PLAN,
    num_threads: int | None = None,
    graph: bool = False,
) -> Timing:
    """Return how long a part of a network takes on ``inputs`` of any shape; the rest as in ``time_module``.

    With ``graph``, one CUDA graph is replayed on a GPU: the time of the device alone, without the host's launches.
    """
    kind: Literal["cpu", "gpu"] = "gpu" if inputs.is_cuda else "cpu"
    with module_run(module, inputs, precision, runtime, layout) as run:
        run()
        timed = cuda_graph(run) if graph and inputs.is_cuda else run
        timing = time_callable(timed, kind, plan=plan, num_threads=num_threads)
    launches = {"launches": "one CUDA graph"} if graph and inputs.is_cuda else {}
    return _said(timing, precision=precision, runtime=runtime, memory_format=layout, **launches)


def time_onnx(
    path: Path,
    shape: Sequence[int],
    runtime: Runtime,
    device_kind: Literal["cpu", "gpu"],
    precision: Precision = "fp32",
    *,
    plan: TimingPlan = DEFAULT_PLAN,
    num_threads: int | None = None,
) -> Timing:
    """Return how long the ONNX file ``path`` takes on random images of ``shape``, which are on the device already.

    Args and errors: as ``onnx_run`` and ``time_callable``.
    """
    run = onnx_run(path, shape, runtime, device_kind, precision, num_threads)
    timing = time_callable(run, device_kind, plan=plan, num_threads=num_threads)
    found = {runtime: version("onnxruntime")} if runtime == "onnxruntime" else {}
    return _said(timing, precision=precision, runtime=runtime, memory_format="contiguous", **found)


def _said(timing: Timing, **settings: str) -> Timing:
    return replace(timing, versions={**timing.versions, **settings})
