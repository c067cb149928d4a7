"""Layers: the closed-form twin of a block's module, and the counting rules over them.

A block's ``layers`` lists what one image costs in it, layer by layer. Everything that is counted or predicted about a
network is a sum (or maximum) over these: parameters, MACs and activations under each counting rule, memory, the
roofline, the structural features of a latency model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from search_spaces.errors import unknown


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation on one image. One MAC is one multiply-accumulate (FLOPs = 2 x MACs).

    Attributes:
        op: ``conv``, ``depthwise``, ``linear``, ``attention``, ``batch_norm``, ``layer_norm``,
            ``instance_norm``, ``group_norm``, ``activation``, ``add``,
            ``scale``, ``pool`` (adaptive average), ``avg_pool`` (of windows), ``max_pool``, ``mean``, ``copy``,
            ``upsample`` (bilinear).
        macs: multiply-accumulates of conv, depthwise, linear and attention products; 0 for the others.
        params: weights and biases, affine parameters of norms included.
        inputs, outputs: elements of activations read and written.
        bias: elements to which a bias is added (pycls counts one each).
        held: elements of other tensors alive meanwhile (a residual's), for the memory estimate.
        shared: of inputs and outputs, the elements that all images of a batch share: a table's.
        precision: of the weighted layer itself (``search_spaces.precision``); another layer has that of the weighted
            layer before it in its block, into which exporters fold a BatchNorm.
    """

    op: str
    macs: int = 0
    params: int = 0
    inputs: int = 0
    outputs: int = 0
    bias: int = 0
    held: int = 0
    precision: str = "fp32"
    shared: int = 0

    def elements(self, batch_size: int) -> int:
        """Return the elements of inputs and outputs of a batch."""
        return (self.inputs + self.outputs - self.shared) * batch_size + self.shared


PRODUCTS = frozenset({"conv", "depthwise", "linear", "attention"})
MAPS = PRODUCTS - {"attention"}
"""Products with weights: convolutions and linear maps."""


def is_weighted(layer: Layer) -> bool:
    """Return whether the layer multiplies by weights of its own, which a precision can be given to."""
    return layer.op in MAPS and layer.params > 0


def weighted_groups(layers: Iterable[Layer]) -> tuple[tuple[Layer, ...], ...]:
    """Return ``layers`` cut before each weighted layer but the first: one group a weighted layer, or one of all."""
    groups: list[list[Layer]] = [[]]
    for layer in layers:
        if is_weighted(layer) and any(map(is_weighted, groups[-1])):
            groups.append([])
        groups[-1].append(layer)
    return tuple(map(tuple, groups))


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact integers of one network at batch 1; ``peak_memory_bytes`` is an estimate for float32 inference."""

    params: int
    macs: int
    activations: int
    peak_memory_bytes: int


def _core(layer: Layer) -> tuple[int, int]:
    return (layer.macs, layer.outputs) if layer.op in PRODUCTS else (0, 0)


def _fvcore(layer: Layer) -> tuple[int, int]:
    """As fvcore 0.1.5 with fused attention: 2 more an element of BatchNorm, 5 of other norms, 1 of average pooling.

    And 4 an element that a bilinear resizing writes.
    """
    per_element = {"batch_norm": 2, "layer_norm": 5, "instance_norm": 5, "group_norm": 5, "pool": 1}.get(layer.op, 0)
    macs, activations = _core(layer)
    resized = 4 * layer.outputs if layer.op == "upsample" else 0
    return macs + per_element * layer.inputs + resized, activations


def _pycls(layer: Layer) -> tuple[int, int]:
    """As pycls: one more per element that gets a bias; the output of a max pooling is an activation."""
    macs, activations = _core(layer)
    return macs + layer.bias, activations + (layer.outputs if layer.op == "max_pool" else 0)


COUNTING: dict[str, Callable[[Layer], tuple[int, int]]] = {"core": _core, "fvcore": _fvcore, "pycls": _pycls}


def counting_rule(name: str) -> Callable[[Layer], tuple[int, int]]:
    """Return the rule that maps a layer to (macs, activations); an unknown name lists the known ones."""
    try:
        return COUNTING[name]
    except KeyError:
        raise unknown("counting rule", name, COUNTING) from None


def total(layers: Iterable[Layer], counting: str = "core") -> Cost:
    """Return the cost of a network from its layers."""
    rule = counting_rule(counting)
    params = macs = activations = working = 0
    for layer in layers:
        layer_macs, layer_activations = rule(layer)
        params += layer.params
        macs += layer_macs
        activations += layer_activations
        working = max(working, layer.inputs + layer.outputs + layer.held)
    return Cost(params, macs, activations, 4 * (params + working))
