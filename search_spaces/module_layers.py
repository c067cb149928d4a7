"""The layers of a module that has no closed-form twin, from one run on the meta device: shapes only, no arithmetic.

Counted: every convolution, matrix product and fused attention that PyTorch dispatches, whichever module or function
called it; norms, pooling, sums and activations as the other blocks list them. A parameter goes to the first layer of
the module that owns it. Not counted as MACs: what the counting rules leave out elsewhere too (softmax, pointwise work).
Memory: ``held`` is unknown here, so that the peak leaves out the tensors that wait for a residual sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from search_spaces.layers import Layer

OPS = {
    "native_batch_norm": "batch_norm",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    "mean": "mean",
    "avg_pool2d": "avg_pool",
    "_adaptive_avg_pool2d": "pool",
    "max_pool2d_with_indices": "max_pool",
    "add": "add",
    "mul": "scale",
    "cat": "copy",
    "upsample_bilinear2d": "upsample",
    **dict.fromkeys(
        ("relu", "hardtanh", "hardswish", "hardsigmoid", "silu", "gelu", "sigmoid", "tanh", "elu", "leaky_relu"),
        "activation",
    ),
}
"""Operations without MACs by PyTorch's name; one in place ends in an underscore more."""

# At the level of dispatch these two are a mean and a BatchNorm: what they are is known one level above.
_NAMED: Mapping[Callable[..., Any], str] = {
    nn.functional.adaptive_avg_pool2d: "pool",
    nn.functional.instance_norm: "instance_norm",
}


def traced_layers(module: nn.Module, in_shape: Sequence[int]) -> tuple[Layer, ...]:
    """Return what one image costs in ``module``, whose tensors are on the meta device; its layers add up exactly.

    Args:
        module: in any mode; it runs in evaluation mode.
        in_shape: of one image, (channels, height, width).
    """
    trace = _Trace()
    with torch.no_grad(), _owners(module.eval(), trace), _Functions(trace), trace:
        module(torch.empty(1, *in_shape, device="meta"))
    rest = sum(parameter.numel() for parameter in module.parameters()) - sum(layer.params for layer in trace.layers)
    if rest:
        trace.layers.append(Layer("copy", params=rest))
    return tuple(trace.layers)


class _Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Lists a layer for each dispatched operation that is one."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.layers: list[Layer] = []
        self.running: list[nn.Module] = []
        self.named = ""
        self._counted: set[Tensor] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run ``func`` and list its layer."""
        out = func(*args, **(kwargs or {}))
        first = out[0] if isinstance(out, tuple) else out
        name = func.overloadpacket.__name__
        if name in _PRODUCTS:
            op, macs = _PRODUCTS[name](args, first)
            biased = name == "addmm" or (name == "convolution" and args[2] is not None)
            self._enter(op, macs, _read(args, op), first.numel(), first.numel() if biased else 0)
        elif name.removesuffix("_") in OPS:
            op = OPS[name.removesuffix("_")]
            op = self.named if op in ("mean", "batch_norm") and self.named else op
            self._enter(op, 0, _read(args, op), first.numel())
        return out

    def _enter(self, op: str, macs: int, inputs: int, outputs: int, bias: int = 0) -> None:
        owned = self.running[-1]._parameters.values() if self.running else ()
        fresh = {parameter for parameter in owned if parameter is not None} - self._counted
        self._counted |= fresh
        self.layers.append(Layer(op, macs, sum(each.numel() for each in fresh), inputs, outputs, bias))


class _Functions(TorchFunctionMode):
    """Tells the trace the name of a function that dispatches as another."""

    def __init__(self, trace: _Trace) -> None:
        self.trace = trace

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run ``func`` under its name."""
        self.trace.named = _NAMED.get(func, "")
        return func(*args, **(kwargs or {}))


def _convolution(args: Sequence[Any], out: Tensor) -> tuple[str, int]:
    x, weight, transposed, groups = args[0], args[1], args[6], args[8]
    op = "depthwise" if groups == x.shape[1] == out.shape[1] and groups > 1 else "conv"
    return op, (x if transposed else out).numel() * prod(weight.shape[1:])


def _matrix(op: str, left: int) -> Callable[[Sequence[Any], Tensor], tuple[str, int]]:
    """Return the count of a matrix product whose left factor is argument ``left``."""
    return lambda args, out: (op, out.numel() * int(args[left].shape[-1]))


_PRODUCTS: Mapping[str, Callable[[Sequence[Any], Tensor], tuple[str, int]]] = {
    "convolution": _convolution,
    "mm": _matrix("linear", 0),
    "addmm": _matrix("linear", 1),
    "bmm": _matrix("attention", 0),
    "baddbmm": _matrix("attention", 1),
}


def _read(args: Sequence[Any], op: str) -> int:
    """Return the elements of activations that an operation reads: all of a sum's, a product's, a concatenation's."""
    if op in ("add", "scale", "copy", "attention"):
        flat = args[0] if isinstance(args[0], list | tuple) else args
        return sum(each.numel() for each in flat if isinstance(each, Tensor))
    # addmm takes its bias first.
    x = args[1] if op == "linear" and args[0].ndim == 1 else args[0]
    return int(x.numel())


@contextmanager
def _owners(module: nn.Module, trace: _Trace) -> Iterator[None]:
    """Keep the modules that run, innermost last, in ``trace.running``."""
    handles = []
    for each in module.modules():
        handles.append(each.register_forward_pre_hook(lambda running, _: trace.running.append(running)))
        handles.append(each.register_forward_hook(lambda *_: trace.running.pop() and None))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
