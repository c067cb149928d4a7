"""The facts of a device on this machine, measured by eager PyTorch itself: the CPU in about half a second."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from predictors.device import Device, Precision, cpuinfo
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    import torch

CPU_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
MATRIX_SIDE = {"cpu": 512, "cuda": 4096}
COPY_MIB = {"cpu": 32, "cuda": 256}
NUM_RUNS = 5


@cache
def cpu_device() -> Device:
    """Return the facts of this CPU, measured once per process with torch's present number of threads.

    Rates are the best of a few runs: other work on the machine only ever makes them lower. They differ a little from
    process to process; who needs the same prediction later stores the device (``Device.model_dump``, or ``nas targets
    add --from-present``).
    """
    import psutil
    import torch

    cpu = torch.device("cpu")
    with torch.inference_mode():
        fp32, bf16 = (_matmul_tflops(dtype, cpu) for dtype in (torch.float32, torch.bfloat16))
        bandwidth, launch = _copy_gb_s(cpu), _launch_us(cpu)
    threads = torch.get_num_threads()
    return Device(
        name="cpu",
        title=cpuinfo("model name") or platform.machine(),
        kind="cpu",
        vendor=cpuinfo("vendor_id") or platform.machine(),
        peak_tflops_fp32=fp32,
        peak_tflops_bf16=bf16,
        memory_bandwidth_gb_s=bandwidth,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 2),
        l2_mib=_last_cache_mib(),
        num_sms=threads,
        launch_overhead_us=launch,
        source=f"measured on this machine with torch {torch.__version__}, {threads} threads",
        notes=(*_notes("cpu"), "l2_mib: the last level of cache", "num_sms: torch threads"),
    )


def gpu_device(index: int, name: str) -> Device:
    """Return the facts of the GPU ``cuda:index`` under ``name``: sizes as its driver tells them, rates measured.

    Raises:
        UsageError: torch sees no such GPU.
    """
    import torch

    if index >= (torch.cuda.device_count() if torch.cuda.is_available() else 0):
        raise UsageError(f"torch sees no GPU cuda:{index} here: run this on a machine with one")
    facts, device = torch.cuda.get_device_properties(index), torch.device("cuda", index)
    dtypes = {"fp16": torch.float16, **({"bf16": torch.bfloat16} if torch.cuda.is_bf16_supported() else {})}
    with torch.inference_mode(), torch.cuda.device(device):
        tflops = {f"peak_tflops_{key}": _matmul_tflops(dtype, device) for key, dtype in dtypes.items()}
        return Device(
            name=name,
            title=facts.name,
            kind="gpu",
            vendor="amd" if torch.version.hip else "nvidia",
            matches=(facts.name,),
            peak_tflops_fp32=_matmul_tflops(torch.float32, device),
            **tflops,
            memory_bandwidth_gb_s=_copy_gb_s(device),
            memory_gib=round(facts.total_memory / 2**30, 2),
            l2_mib=facts.L2_cache_size / 2**20,
            num_sms=facts.multi_processor_count,
            launch_overhead_us=_launch_us(device),
            source=f"measured on this machine with torch {torch.__version__}",
            notes=_notes("cuda"),
        )


def named_cpu(name: str) -> Device:
    """Return this CPU's facts under ``name``, for storing: later commands predict from the same numbers."""
    device = cpu_device()
    return Device.model_validate({**device.model_dump(), "name": name, "matches": (device.title,)})


def _notes(kind: str) -> tuple[str, ...]:
    side, mib = MATRIX_SIDE[kind], COPY_MIB[kind]
    return (
        f"peak_tflops: best of {NUM_RUNS} products of {side} x {side} matrices: what is reached, not what is printed",
        f"memory_bandwidth_gb_s: best of {NUM_RUNS} copies of {mib} MiB, read and written bytes counted",
        "launch_overhead_us: mean over conv, batch norm and ReLU modules on a 4 x 4 map",
    )


def _best_s(function: Callable[[], object], device: torch.device) -> float:
    """Return the shortest of a few runs in seconds, after one that is not counted."""
    import torch

    times = []
    for _ in range(NUM_RUNS + 1):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return max(min(times[1:]), 1e-9)


def _matmul_tflops(dtype: torch.dtype, device: torch.device) -> float:
    import torch

    side = MATRIX_SIDE[device.type]
    # Random numbers: a GPU at its power limit multiplies constants faster.
    matrix = torch.rand(side, side, device=device).to(dtype)
    return 2 * side**3 / _best_s(lambda: matrix @ matrix, device) / 1e12


def _copy_gb_s(device: torch.device) -> float:
    import torch

    source = torch.ones(COPY_MIB[device.type] * 2**20 // 4, device=device)
    goal = torch.empty_like(source)
    return 2 * source.nbytes / _best_s(lambda: goal.copy_(source), device) / 1e9


def _launch_us(device: torch.device) -> float:
    import torch
    from torch import nn

    layers = [nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    network = nn.Sequential(*(layers * 10)).eval().to(device)
    image = torch.ones(1, 8, 4, 4, device=device)
    return _best_s(lambda: network(image), device) / 30 * 1e6


def _last_cache_mib() -> float:
    """Return the size of the last cache level, or 1 MiB where the system does not say."""
    sizes = [1.0]
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = file.read_text(encoding="utf-8").strip()
        sizes.append(int(text[:-1]) / {"K": 1024, "M": 1}[text[-1]] if text[-1:] in ("K", "M") else 0.0)
    return max(sizes)
