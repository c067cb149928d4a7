"""Names of a block's weighted layers: those of the modules that hold their weights, as ``expand.conv``.

A precision of its own can be given to a layer that is one module, which simulation and export find by its name. A block
has names where each of its weighted layers is a module of its own; where weights are used several times, or by a
function, or by a module that no quantiser here knows (a transposed convolution), it has none and keeps one precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import nn

from search_spaces.block import module_of, plain_layers
from search_spaces.blueprint import PlacedBlock, Setting
from search_spaces.layers import MAPS, Layer

QUANTISABLE = (nn.Conv1d, nn.Conv2d, nn.Linear)

Signature = tuple[str, bool, bool]

_paths: dict[tuple[str, tuple[tuple[str, Setting], ...], tuple[Signature, ...]], tuple[str, ...]] = {}
"""By kind, settings and what the layers are: building takes milliseconds, and spaces have thousands of blocks that
differ in their widths alone."""


@lru_cache(maxsize=1 << 14)
def layer_names(placed: PlacedBlock) -> tuple[str, ...]:
    """Return the module of each weighted layer by its name in the network, in the order of its layers.

    Empty where the layers are not a module each, or where there is none.
    """
    products = [layer for layer in plain_layers(placed) if layer.op in MAPS]
    key = (placed.kind, placed.settings, tuple(map(_signature, products)))
    if key not in _paths:
        _paths[key] = _matched(placed, products)
    return tuple(f"{placed.name}.{placed.kind}.{path}" for path in _paths[key])


def _signature(layer: Layer) -> Signature:
    return layer.op, layer.params > 0, layer.bias > 0


def _matched(placed: PlacedBlock, products: Sequence[Layer]) -> tuple[str, ...]:
    """Return the paths of the modules of ``products``: of several alike, the first is the first."""
    with torch.device("meta"):
        block = module_of(placed)
    left = {
        path: (sum(map(torch.Tensor.numel, each.parameters())), each.bias is not None)
        for path, each in block.named_modules()
        if isinstance(each, QUANTISABLE)
    }
    found = []
    for layer in products:
        path = next((path for path, held in left.items() if held == (layer.params, layer.bias > 0)), None)
        if path is None:
            return ()
        del left[path]
        found.append(path)
    return () if left else tuple(found)
