"""Weight sharing: one tensor for every parameter name, as large as its largest use. All rules of sharing are here.

A network runs on views of the shared tensors, chosen by the layouts that its blocks declare (``layout.py``); nothing
else in the code knows how. Nested ("sorted") sharing, as of SortedNet (arXiv 2309.00255), follows from it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces.architecture import Architecture
from search_spaces.block import blocks
from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.building import Mode, Network, assemble, block_in_mode, initialise, parameter_owners, set_progress
from search_spaces.errors import UsageError
from search_spaces.layout import Layout, Window, holds, layout_of, merge, take, window
from search_spaces.space import SearchSpace

Tensors = Mapping[str, Tensor]


def covering_set(space: SearchSpace) -> list[Architecture]:
    """Return networks that together use every shared tensor in full.

    The i-th sets every categorical knob to its i-th choice and every ordered knob to its largest; the space's own
    ``covering`` follow.
    """
    longest = max((len(knob.values) for knob in space.knobs if not knob.ordered), default=1)
    rows = np.empty((longest, len(space.knobs)), dtype=np.int16)
    for column, knob in enumerate(space.knobs):
        last = len(knob.values) - 1
        rows[:, column] = last if knob.ordered else np.minimum(np.arange(longest), last)
    return [*space.decode(rows), *space.covering()]


def extents(space: SearchSpace) -> dict[str, tuple[Layout, nn.Module]]:
    """Return each shared name's layout at its largest use, and a module that owns it (for initialisation)."""
    found: dict[str, tuple[Layout, nn.Module]] = {}
    for architecture in covering_set(space):
        placed_blocks = space.blueprint(architecture).placed()
        network = Network([(placed, block_in_mode(placed, "train")) for placed in placed_blocks])
        owners = dict(parameter_owners(network))
        for name, parameter in network.named_parameters():
            layout = layout_of(parameter)
            if name in found:
                try:
                    layout = tuple(merge(a, b) for a, b in zip(found[name][0], layout, strict=True))
                except (TypeError, ValueError) as error:
                    raise UsageError(f"parameter {name!r} can't be shared: {error}") from None
            found[name] = (layout, owners[name])
    return found


@dataclass(slots=True)
class _Slot:
    """Where one tensor goes in a block on the meta device, and which part of the shared tensor it is."""

    holder: dict[str, Any]
    attribute: str
    name: str
    extent: Layout
    layout: Layout
    whole: bool
    window: Window | None
    meta: Tensor

    def part(self, source: Tensors) -> Tensor:
        """Return the part, in few autograd nodes, since they are what running inside the shared weights costs.

        Contiguous, as in the extracted module: the gradient of a matrix product rounds by the layout of its factors.
        """
        tensor = source[self.name]
        if self.whole:
            return tensor
        if self.window and tensor.is_contiguous():
            return self.window.of(tensor)
        return take(tensor, self.extent, self.layout).contiguous()


class _SharedBlock:
    """One block on the meta device that runs on views: they are put in for the call and taken out after it."""

    def __init__(self, module: nn.Module, slots: list[_Slot], buffers: list[tuple[dict[str, Any], str, str]]):
        self.module, self.slots, self.buffers = module, slots, buffers
        self.scheduled = any(hasattr(part, "progress") for part in module.modules())

    def __call__(self, x: Tensor, source: Tensors, statistics: Tensors, progress: float) -> Tensor:
        if self.scheduled:
            set_progress(self.module, progress)
        try:
            for slot in self.slots:
                slot.holder[slot.attribute] = slot.part(source)
            for holder, attribute, name in self.buffers:
                if name not in statistics:
                    raise UsageError(f"no BatchNorm statistics {name!r}: fill new_statistics in mode 'calibrate' first")
                holder[attribute] = statistics[name]
            out: Tensor = self.module(x)
            return out
        finally:
            for slot in self.slots:
                slot.holder[slot.attribute] = slot.meta
            for holder, attribute, _ in self.buffers:
                holder[attribute] = None


class _Cache(threading.local):
    """Blocks by (place, settings, mode): one cache a thread, since a block holds its views during a call."""

    def __init__(self) -> None:
        self.blocks: dict[tuple[object, ...], _SharedBlock] = {}


class SharedWeights:
    """The dictionary of tensors that holds every network of a space.

    Attributes:
        space: the space.
        tensors: one ``nn.Parameter`` a name.
        layouts: the layout of each.
    """

    def __init__(self, space: SearchSpace, seed: int = 0, device: str | torch.device = "cpu") -> None:
        self.space = space
        self.layouts: dict[str, Layout] = {}
        self.tensors: dict[str, nn.Parameter] = {}
        for name, (layout, owner) in extents(space).items():
            tensor = torch.empty([axis.size for axis in layout])
            initialise(owner, name, tensor, seed)
            self.layouts[name] = layout
            self.tensors[name] = nn.Parameter(tensor.to(device))
        self._cache = _Cache()

    def run(
        self,
        blueprint: Blueprint,
        x: Tensor,
        mode: Mode = "train",
        *,
        tensors: Tensors | None = None,
        statistics: Tensors | None = None,
        progress: float = 1.0,
    ) -> Tensor:
        """Return the output of the network of ``blueprint``, inside the shared weights, on images ``x`` (N, C, H, W).

        Args:
            blueprint: a network of the space.
            x: images.
            mode: ``train``, ``calibrate`` (``statistics`` are updated in place) or ``evaluate`` (they are used).
            tensors: others of the same names and shapes instead of ``self.tensors`` (their moving average).
            statistics: BatchNorm statistics of this network by buffer name; see ``new_statistics``.
            progress: how far training has come, 0 to 1, for blocks with a schedule (ScheduledDropPath).
        """
        source: Tensors = self.tensors if tensors is None else tensors
        for placed in blueprint.placed():
            x = self._block(placed, mode)(x, source, statistics or {}, progress)
        return x

    def new_statistics(self, blueprint: Blueprint, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Return fresh BatchNorm statistics of one network, by buffer name, to be filled in mode ``calibrate``."""
        found: dict[str, Tensor] = {}
        for placed in blueprint.placed():
            block = self._block(placed, "calibrate")
            prefix = f"{placed.name}.{placed.kind}."
            for name, module in block.module.named_modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    path = f"{prefix}{name}."
                    found[path + "running_mean"] = torch.zeros(module.num_features, device=device)
                    found[path + "running_var"] = torch.ones(module.num_features, device=device)
                    found[path + "num_batches_tracked"] = torch.zeros((), dtype=torch.long, device=device)
        return found

    @torch.no_grad()
    def extract(
        self, blueprint: Blueprint, tensors: Tensors | None = None, statistics: Tensors | None = None
    ) -> Network:
        """Return the plain module of ``blueprint`` with copies of its parts of the shared tensors."""
        source: Tensors = self.tensors if tensors is None else tensors
        device = next(iter(source.values())).device
        network = assemble(blueprint, device)
        state = {**network.state_dict(), **self.parts(blueprint, source), **(statistics or {})}
        network.load_state_dict(state)
        return network.eval()

    def parts(self, blueprint: Blueprint, source: Tensors) -> dict[str, Tensor]:
        """Return the part of each tensor of ``source`` that the network of ``blueprint`` uses, by name."""
        found = {}
        for placed in blueprint.placed():
            for slot in self._block(placed, "train").slots:
                found[slot.name] = slot.part(source)
        return found

    def _block(self, placed: PlacedBlock, mode: Mode) -> _SharedBlock:
        size = placed.in_size if blocks.get(placed.kind).uses_size else None
        key = (placed.name, placed.kind, placed.in_width, placed.out_width, size, placed.settings, mode)
        found = self._cache.blocks.get(key)
        if found is None:
            found = self._cache.blocks[key] = self._new_block(placed, mode)
        return found

    def _new_block(self, placed: PlacedBlock, mode: Mode) -> _SharedBlock:
        module = block_in_mode(placed, mode)
        prefix = f"{placed.name}.{placed.kind}"
        slots, buffers = [], []
        for path, owner in module.named_modules():
            start = f"{prefix}.{path}." if path else f"{prefix}."
            for attribute, parameter in owner._parameters.items():
                if parameter is not None:
                    name, layout = start + attribute, layout_of(parameter)
                    extent = self._extent(name, layout)
                    whole, part = extent == layout, window(extent, layout)
                    slots.append(_Slot(owner._parameters, attribute, name, extent, layout, whole, part, parameter))
            for attribute, buffer in owner._buffers.items():
                if buffer is not None:
                    buffers.append((owner._buffers, attribute, start + attribute))
        return _SharedBlock(module, slots, buffers)

    def _extent(self, name: str, layout: Layout) -> Layout:
        """Return the shared layout of ``name``; an error names what the covering set does not hold."""
        extent = self.layouts.get(name)
        if extent is None or not all(holds(a, b) for a, b in zip(extent, layout, strict=True)):
            shape = [axis.size for axis in layout]
            held = "nothing" if extent is None else [axis.size for axis in extent]
            raise UsageError(f"parameter {name!r} of shape {shape} is not covered by the shared weights: held: {held}")
        return extent
