"""Stopwatches: how long one run of a function takes, by the host's clock or by the GPU's own events."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Stopwatch = Callable[[Callable[[], object]], float]
"""Takes a function, runs it once, and returns the milliseconds."""


def wall_stopwatch(clock_ns: Callable[[], int] = time.perf_counter_ns) -> Stopwatch:
    """Return a stopwatch that reads a clock of nanoseconds before and after one run."""

    def measure(function: Callable[[], object]) -> float:
        start = clock_ns()
        function()
        return (clock_ns() - start) / 1e6

    return measure


def cuda_stopwatch() -> Stopwatch:
    """Return a stopwatch of CUDA events on the current stream: gaps in which the device waits for the host count."""
    import torch

    event: Any = torch.cuda.Event
    start, end = event(enable_timing=True), event(enable_timing=True)

    def measure(function: Callable[[], object]) -> float:
        torch.cuda.synchronize()
        start.record()
        function()
        end.record()
        torch.cuda.synchronize()
        return float(start.elapsed_time(end))

    return measure


def cuda_graph(function: Callable[[], object], num_warmup_runs: int = 3) -> Callable[[], object]:
    """Return a function that replays what ``function`` launches as one CUDA graph: the host's launches cost nothing.

    What ``function`` reads and writes must stay at its place in memory. It is run a few times beside the current
    stream first, so that libraries have chosen their algorithms and allocated before the recording.
    """
    import torch

    cuda: Any = torch.cuda
    side = cuda.Stream()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        for _ in range(num_warmup_runs):
            function()
    cuda.current_stream().wait_stream(side)
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        function()
    replay: Callable[[], object] = graph.replay
    return replay
