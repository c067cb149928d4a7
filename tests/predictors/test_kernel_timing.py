"""Kernels of a table made and timed here, on a CPU in place of a GPU: each computes what its row says."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
import torch

from predictors.kernel_terms import GROUPS
from predictors.kernel_timing import MAX_RUNS, MIN_RUNS, WARMUP_RUNS, kernel_call, time_kernels
from search_spaces.errors import UsageError

CPU = torch.device("cpu")
SHAPE = {"B": 2, "M": 3, "N": 4, "K": 5, "H": 6, "c_in": 3, "c_out": 7, "kernel": 3, "hw_in": 9, "stride": 2, "pad": 1}
OUTPUTS = {"bmm": (2, 3, 5), "linear": (6, 5), "conv2d": (2, 7, 5, 5)}
OPERATORS = [(group, op) for group, members in GROUPS.items() for op in members]


@pytest.mark.parametrize(("group", "op"), OPERATORS)
def test_every_operator_gives_the_shape_of_its_row(group: str, op: str) -> None:
    found = kernel_call(op, SHAPE, CPU, torch.float32)()
    assert isinstance(found, torch.Tensor)
    assert tuple(found.shape) == OUTPUTS.get(group, (2, 6))
    assert bool(found.isfinite().all())


def test_half_precision_computes_in_half() -> None:
    assert kernel_call("linear", SHAPE, CPU, torch.bfloat16)().dtype == torch.bfloat16


@pytest.mark.parametrize(("each_ms", "runs"), [(1000.0, MIN_RUNS), (0.01, MAX_RUNS)])
def test_short_kernels_run_often_and_the_median_is_kept(each_ms: float, runs: int) -> None:
    calls = []

    def stopwatch(function: Callable[[], object]) -> float:
        calls.append(function())
        return each_ms if len(calls) % 2 else 1.01 * each_ms

    table = pd.DataFrame([{"op": "relu", "B": 4, "H": 8}])
    timed = time_kernels(table, CPU, stopwatch=stopwatch)
    assert len(calls) == WARMUP_RUNS + runs
    assert timed["latency_ms"][0] in (each_ms, 1.01 * each_ms)


def test_an_unknown_operator_is_named() -> None:
    with pytest.raises(UsageError, match="unknown operator 'fft'"):
        kernel_call("fft", SHAPE, CPU, torch.float32)
