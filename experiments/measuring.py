"""A subject timed on a target that is present: the glue between networks, ONNX export and the stopwatch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.subjects import Subject
from predictors.rounds import Rounds, time_in_rounds
from predictors.stopwatch import cuda_stopwatch
from predictors.target import Target, torch_device
from predictors.timing import DEFAULT_PLAN, Timing, TimingPlan
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from predictors.execution import Run
    from predictors.memory import PeakMemory


def require_present(where: Target) -> str:
    """Return the torch device of ``where``.

    Raises:
        UsageError: its device is not on this machine.
    """
    device = torch_device(where.device)
    if device is None:
        raise UsageError(
            f"target {where.name!r}: that device is not here: measure cpu, run this on a machine with it, or write a "
            "bundle to run there (nas measure --bundle FOLDER)"
        )
    return device


def time_subject(
    subject: Subject, where: Target, plan: TimingPlan = DEFAULT_PLAN, num_threads: int | None = None
) -> Timing:
    """Return how long ``subject`` takes on ``where``; kernels on a GPU without the host's launches.

    Raises:
        UsageError: the target is not present, or its runtime can't run the subject.
    """
    import torch

    from predictors.network_timing import time_onnx, time_part

    device = require_present(where)
    shape = batched(subject, where)
    settings: dict[str, Any] = {"plan": plan, "num_threads": num_threads}
    if where.runtime in ("onnxruntime", "tensorrt"):
        with tempfile.TemporaryDirectory() as folder:
            path = write_subject(subject, Path(folder) / "model.onnx")
            return time_onnx(path, shape, where.runtime, where.device.kind, where.precision, **settings)
    _require_float(subject, where)
    return time_part(
        subject.module,
        torch.randn(shape, device=device),
        where.precision,
        runtime=where.runtime,
        layout=where.layout,
        graph=subject.kind == "kernel",
        **settings,
    )


def _require_float(subject: Subject, where: Target) -> None:
    from search_spaces.precision import is_quantised

    if subject.blueprint is not None and is_quantised(subject.blueprint):
        raise UsageError(
            f"target {where.name!r}: {where.runtime} PyTorch has no integer kernels for {subject.name}, which is "
            "quantised: give a target of runtime onnxruntime"
        )


@contextmanager
def subject_run(subject: Subject, where: Target, num_threads: int | None = None) -> Iterator[Run]:
    """Yield a function that runs ``subject`` on ``where`` once, for stopwatches of one's own.

    Raises:
        UsageError: the target is not present, or its runtime can't run the subject.
    """
    import torch

    from predictors.execution import module_run, onnx_run

    device, shape = require_present(where), batched(subject, where)
    if where.runtime in ("onnxruntime", "tensorrt"):
        with tempfile.TemporaryDirectory() as folder:
            path = write_subject(subject, Path(folder) / "model.onnx")
            yield onnx_run(path, shape, where.runtime, where.device.kind, where.precision, num_threads)
    else:
        _require_float(subject, where)
        images = torch.randn(shape, device=device)
        with module_run(subject.module, images, where.precision, where.runtime, where.layout) as run:
            yield run


def time_in_turn(
    subjects: Iterable[Subject],
    where: Target,
    *,
    num_rounds: int = 20,
    num_runs: int = 5,
    seed: int = 0,
    num_threads: int | None = None,
) -> Rounds:
    """Return the times of each of ``subjects`` on ``where``, visited in turn; each has run once before.

    Args and errors: as ``time_in_rounds`` and ``subject_run``.
    """
    with ExitStack() as stack:
        runs: list[Run] = []
        for subject in subjects:
            runs.append(stack.enter_context(subject_run(subject, where, num_threads)))
            runs[-1]()
        stopwatch = cuda_stopwatch() if where.device.kind == "gpu" else None
        return time_in_rounds(
            runs, num_rounds=num_rounds, num_runs=num_runs, seed=seed, num_threads=num_threads, stopwatch=stopwatch
        )


def memory_of(subject: Subject, where: Target) -> PeakMemory:
    """Return the peak memory of ``subject`` on ``where``, in eager mode.

    Raises:
        UsageError: the target is not present or not eager.
    """
    import torch

    from predictors.memory import peak_memory

    if where.runtime != "eager":
        raise UsageError(f"target {where.name!r}: memory is measured by PyTorch's allocator: give an eager target")
    images = torch.randn(batched(subject, where), device=require_present(where))
    return peak_memory(subject.module.to(images.device), images, where.precision, where.layout)


def write_subject(subject: Subject, path: Path) -> Path:
    """Write the ONNX file of a network and return its path.

    Raises:
        UsageError: the subject is no network.
    """
    import torch

    from nas.export.onnx import write_onnx
    from nas.export.quantised_onnx import write_quantised_onnx
    from search_spaces.precision import is_quantised

    if subject.blueprint is None:
        raise UsageError(f"{subject.name} is a {subject.kind}: onnxruntime and tensorrt are given whole networks here")
    if is_quantised(subject.blueprint):
        # Its time depends on no value: any images will do.
        images = torch.randn(2 * subject.shape[0], *subject.shape[1:])
        write_quantised_onnx(path, subject.module, subject.blueprint, [images])
    else:
        write_onnx(path, subject.module, subject.blueprint)
    return path


def batched(subject: Subject, where: Target) -> tuple[int, ...]:
    """Return the shape of the subject's input at the target's batch size."""
    return subject.shape[0] * where.batch_size, *subject.shape[1:]


def row_of(subject: Subject, where: Target, timing: Timing) -> dict[str, Any]:
    """Return one row of measurements; ``roofline_ms`` is analytic, None for kernels, and stands for comparison."""
    from predictors.roofline import latency_ms

    return {
        "name": subject.name,
        "kind": subject.kind,
        "count": subject.count,
        "target": where.name,
        "latency_ms": timing.median_ms,
        "spread_ms": timing.spread_ms,
        "p95_ms": timing.p95_ms,
        "energy_mj": timing.energy_mj,
        "num_runs": timing.num_runs,
        "stable": timing.stable,
        "obtained": "measured",
        "roofline_ms": latency_ms(subject.blocks, where) if subject.layers else None,
        "notes": "; ".join(timing.notes),
        "versions": dict(timing.versions),
    }


def memory_row(subject: Subject, where: Target, found: PeakMemory) -> dict[str, Any]:
    """Return one row of measured memory beside two closed forms (None for kernels, which have none).

    ``estimate_bytes`` is that of ``predictors.memory``; ``cost_bytes`` is ``Cost.peak_memory_bytes`` (of
    float32 at batch 1) at the target's batch and precision.
    """
    estimates = _memory_estimates(subject, where) if subject.layers else {"estimate": None, "cost": None}
    row: dict[str, Any] = {
        "name": subject.name,
        "target": where.name,
        "peak_memory_bytes": found.peak_bytes,
        "weights_bytes": found.weights_bytes,
        "image_bytes": found.image_bytes,
        "working_bytes": found.working_bytes,
        "obtained": "measured",
    }
    for name, value in estimates.items():
        row[f"{name}_bytes"] = value
        row[f"{name}_error_percent"] = None if value is None else 100.0 * (value / found.peak_bytes - 1)
    return row


def _memory_estimates(subject: Subject, where: Target) -> dict[str, int | None]:
    from predictors.memory import estimated_peak_bytes
    from predictors.roofline import BYTES
    from search_spaces.layers import total

    cost, image_elements = total(subject.layers), prod(subject.shape)
    weights = 4 * cost.params
    scaled = weights + (cost.peak_memory_bytes - weights) * where.batch_size
    return {
        "estimate": estimated_peak_bytes(subject.blocks, image_elements, where.batch_size, where.precision),
        "cost": scaled * BYTES[where.precision] // 4,
    }
