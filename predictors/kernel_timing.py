"""Single kernels timed on a GPU that is present, in the layout of ``kernel_table``, as the public tables were timed.

Each kernel is one eager PyTorch call between two CUDA events, so that a short one counts the host's launch too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from predictors.execution import torch_dtype
from predictors.runtime import float32_products
from predictors.stopwatch import Stopwatch, cuda_stopwatch
from predictors.target import Precision

if TYPE_CHECKING:
    import pandas as pd
    import torch

WARMUP_RUNS, MIN_RUNS, MAX_RUNS, BUDGET_MS = 3, 3, 25, 100.0

BINARY = ("add", "div", "mul", "pow")
# Of the smallest kernels, whose time is the launch.
SMALLEST = {
    **{"B": 1, "H": 32, "M": 32, "N": 32, "K": 32},
    **{"c_in": 8, "c_out": 8, "kernel": 1, "hw_in": 8, "stride": 1, "pad": 0},
}


def time_kernels(
    table: pd.DataFrame, device: torch.device, precision: Precision = "fp32", stopwatch: Stopwatch | None = None
) -> pd.DataFrame:
    """Return ``table`` with the median milliseconds of each row's kernel on ``device`` as its ``latency_ms``.

    Args:
        table: ``op`` and the shape columns of ``kernel_table``.
        device: a GPU, or a CPU with a stopwatch of its own.
        precision: of inputs and weights; ``fp32`` keeps tensor cores out.
        stopwatch: replaces CUDA events.

    Raises:
        UsageError: an operator is unknown.
    """
    import torch

    measure, dtype = stopwatch or cuda_stopwatch(), torch_dtype(precision)
    with torch.inference_mode(), float32_products("tf32" if precision == "tf32" else "ieee"):
        rows = table.to_dict("records")
        found = [_median_ms(measure, kernel_call(str(row["op"]), row, device, dtype)) for row in rows]
    return table.assign(latency_ms=found)


def kernel_call(op: str, shape: Mapping[Any, Any], device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """Return a function that launches the kernel of ``op`` on random inputs of ``shape`` once.

    Raises:
        UsageError: the operator is unknown.
    """
    import torch
    from torch.nn import functional

    from predictors.kernel_terms import SHAPES, group_of

    group = group_of(op)
    size = {name: int(shape[name]) for name in SHAPES[group]}

    def random(*sizes: int) -> torch.Tensor:
        return torch.rand(sizes, device=device).to(dtype)

    if group == "bmm":
        left, right = random(size["B"], size["M"], size["N"]), random(size["B"], size["N"], size["K"])
        return lambda: torch.bmm(left, right)
    if group == "linear":
        inputs, weight, bias = random(size["B"] * size["M"], size["N"]), random(size["K"], size["N"]), random(size["K"])
        return lambda: functional.linear(inputs, weight, bias)
    if group == "conv2d":
        images = random(size["B"], size["c_in"], size["hw_in"], size["hw_in"])
        weight = random(size["c_out"], size["c_in"], size["kernel"], size["kernel"])
        return lambda: functional.conv2d(images, weight, stride=size["stride"], padding=size["pad"])
    rows = random(size["B"], size["H"])
    if group == "softmax":
        return lambda: torch.softmax(rows, dim=-1)
    if group == "layer_norm":
        scale, shift = random(size["H"]), random(size["H"])
        return lambda: functional.layer_norm(rows, (size["H"],), scale, shift)
    return _elementwise(op, rows, random(size["B"], size["H"]) if op in BINARY else None)


def _elementwise(op: str, rows: torch.Tensor, others: torch.Tensor | None) -> Callable[[], object]:
    import torch
    from torch.nn import functional

    unary: dict[str, Callable[[torch.Tensor], object]] = {
        "gelu": functional.gelu,
        "relu": torch.relu,
        "tanh": torch.tanh,
    }
    if op in unary:
        return lambda: unary[op](rows)
    function, operand = getattr(torch, op.removesuffix("u")), 1.5 if others is None else others
    return lambda: function(rows, operand)


def _median_ms(measure: Stopwatch, call: Callable[[], object]) -> float:
    warm = [measure(call) for _ in range(WARMUP_RUNS)]
    num_runs = int(np.clip(BUDGET_MS / max(warm[-1], 1e-6), MIN_RUNS, MAX_RUNS))
    return float(np.median([measure(call) for _ in range(num_runs)]))
