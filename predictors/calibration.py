"""The facts of this machine's CPU, measured in about half a second by eager PyTorch itself."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from predictors.target import Device, Precision

if TYPE_CHECKING:
    import torch

CPU_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
MATRIX_SIDE = 512
COPY_MIB = 32
NUM_RUNS = 5


@cache
def cpu_device() -> Device:
    """Return the facts of this CPU, measured once per process with torch's present number of threads.

    Rates are the best of a few runs: other work on the machine only ever makes them lower. They differ a little from
    process to process; who needs the same prediction later stores the device (``Device.model_dump``).
    """
    import psutil
    import torch

    with torch.inference_mode():
        tflops = {name: _matmul_tflops(dtype) for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}
        bandwidth, launch = _copy_gb_s(), _launch_us()
    threads = torch.get_num_threads()
    return Device(
        name="cpu",
        title=_cpuinfo("model name"),
        kind="cpu",
        vendor=_cpuinfo("vendor_id"),
        peak_tflops_fp32=tflops["fp32"],
        peak_tflops_bf16=tflops["bf16"],
        memory_bandwidth_gb_s=bandwidth,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 2),
        l2_mib=_last_cache_mib(),
        num_sms=threads,
        launch_overhead_us=launch,
        source=f"measured on this machine with torch {torch.__version__}, {threads} threads",
        notes=(
            f"peak_tflops: best of {NUM_RUNS} products of {MATRIX_SIDE} x {MATRIX_SIDE} matrices",
            f"memory_bandwidth_gb_s: best of {NUM_RUNS} copies of {COPY_MIB} MiB, read and written bytes counted",
            "launch_overhead_us: mean over conv, batch norm and ReLU modules on a 4 x 4 map",
            "l2_mib: the last level of cache",
            "num_sms: torch threads",
        ),
    )


def _cpuinfo(key: str) -> str:
    """Return what Linux says of the processor under ``key``, or the machine's architecture where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(key))
    return next(found, platform.machine())


def _best_s(function: Callable[[], object]) -> float:
    """Return the shortest of a few runs in seconds, after one that is not counted."""
    times = []
    for _ in range(NUM_RUNS + 1):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return max(min(times[1:]), 1e-9)


def _matmul_tflops(dtype: torch.dtype) -> float:
    import torch

    matrix = torch.ones(MATRIX_SIDE, MATRIX_SIDE, dtype=dtype)
    return 2 * MATRIX_SIDE**3 / _best_s(lambda: matrix @ matrix) / 1e12


def _copy_gb_s() -> float:
    import torch

    source = torch.ones(COPY_MIB * 2**20 // 4)
    goal = torch.empty_like(source)
    return 2 * source.nbytes / _best_s(lambda: goal.copy_(source)) / 1e9


def _launch_us() -> float:
    import torch
    from torch import nn

    layers = [nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    network = nn.Sequential(*(layers * 10)).eval()
    image = torch.ones(1, 8, 4, 4)
    return _best_s(lambda: network(image)) / 30 * 1e6


def _last_cache_mib() -> float:
    """Return the size of the last cache level, or 1 MiB where the system does not say."""
    sizes = [1.0]
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = file.read_text(encoding="utf-8").strip()
        sizes.append(int(text[:-1]) / {"K": 1024, "M": 1}[text[-1]] if text[-1:] in ("K", "M") else 0.0)
    return max(sizes)
