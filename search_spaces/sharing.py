"""Weight sharing: one tensor for every parameter name, as large as its largest use. All rules of sharing are here.

A network runs on views of the shared tensors (``shared_block.py``), chosen by the layouts that its blocks declare
(``layout.py``); nothing else in the code knows how. Nested ("sorted") sharing, as of SortedNet (arXiv 2309.00255),
follows from it.
"""

from __future__ import annotations

import threading
from typing import Literal, overload

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces.architecture import Architecture
from search_spaces.block import blocks
from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.building import Mode, Network, assemble, block_in_mode, initialise, parameter_owners
from search_spaces.drop_path import depth_rates, skip_at_random
from search_spaces.errors import UsageError
from search_spaces.kernel_transforms import KernelTransform, matrices
from search_spaces.layout import Layout, Plain, holds, layout_of, merge
from search_spaces.pyramid import Pyramid
from search_spaces.shared_block import SharedBlock, Tensors
from search_spaces.space import SearchSpace


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
    for name, (layout, _) in list(found.items()):
        for side, matrix in matrices(name, layout):
            found[matrix] = ((Plain(side * side), Plain(side * side)), KernelTransform())
    return found


class _Cache(threading.local):
    """Blocks by (place, settings, mode): one cache a thread, since a block holds its views during a call."""

    def __init__(self) -> None:
        self.blocks: dict[tuple[object, ...], SharedBlock] = {}


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
            self.tensors[name] = nn.Parameter(tensor.to(device), requires_grad=_is_trained(owner, name))
        self._cache = _Cache()

    @overload
    def run(
        self,
        blueprint: Blueprint,
        x: Tensor,
        mode: Mode = "train",
        *,
        tensors: Tensors | None = None,
        statistics: Tensors | None = None,
        progress: float = 1.0,
        drop_path: float = 0.0,
        features: Literal[False] = False,
    ) -> Tensor: ...

    @overload
    def run(
        self,
        blueprint: Blueprint,
        x: Tensor,
        mode: Mode = "train",
        *,
        tensors: Tensors | None = None,
        statistics: Tensors | None = None,
        progress: float = 1.0,
        drop_path: float = 0.0,
        features: Literal[True],
    ) -> tuple[Tensor, Tensor]: ...

    def run(
        self,
        blueprint: Blueprint,
        x: Tensor,
        mode: Mode = "train",
        *,
        tensors: Tensors | None = None,
        statistics: Tensors | None = None,
        progress: float = 1.0,
        drop_path: float = 0.0,
        features: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return the output of the network of ``blueprint``, inside the shared weights, on images ``x`` (N, C, H, W).

        Args:
            blueprint: a network of the space.
            x: images.
            mode: ``train``, ``calibrate`` (``statistics`` are updated in place) or ``evaluate`` (they are used).
            tensors: others of the same names and shapes instead of ``self.tensors`` (their moving average).
            statistics: BatchNorm statistics of this network by buffer name; see ``new_statistics``.
            progress: how far training has come, 0 to 1, for blocks with a schedule (ScheduledDropPath).
            drop_path: probability that the last residual block is skipped for an image, in mode ``train``; those before
                it are skipped less, by their depth.
            features: return (output, input of the head) instead of the output alone.
        """
        source: Tensors = self.tensors if tensors is None else tensors
        head_input = x
        placed_blocks = list(blueprint.placed())
        pyramid = Pyramid(placed_blocks, x)
        for placed, rate in zip(placed_blocks, depth_rates(drop_path, len(placed_blocks)), strict=True):
            block = self._block(placed, mode)
            head_input = pyramid.input_of(placed, x)
            x = block(head_input, source, statistics or {}, progress)
            if rate and mode == "train":
                x = skip_at_random(block.module, head_input, x, rate)
            pyramid.add(placed, x)
        return (x, head_input) if features else x

    def run_block(self, placed: PlacedBlock, x: Tensor, mode: Mode = "train", *, progress: float = 1.0) -> Tensor:
        """Return the output of one block of a network on its input ``x``, for a caller that acts between blocks.

        Arguments as in ``run``; modes without statistics alone.
        """
        return self._block(placed, mode)(x, self.tensors, {}, progress)

    def new_statistics(self, blueprint: Blueprint, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Return fresh BatchNorm statistics of one network, by buffer name, to be filled in mode ``calibrate``."""
        found: dict[str, Tensor] = {}
        for placed in blueprint.placed():
            found.update(self._block(placed, "calibrate").new_statistics(device))
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

    def sources(self, blueprint: Blueprint) -> dict[str, tuple[str, ...]]:
        """Return the names of the shared tensors that each parameter of the network is a part or function of."""
        return {slot.name: slot.sources for placed in blueprint.placed() for slot in self._block(placed, "train").slots}

    def _block(self, placed: PlacedBlock, mode: Mode) -> SharedBlock:
        size = placed.in_size if blocks.get(placed.kind).uses_size else None
        key = (placed.name, placed.kind, placed.in_width, placed.out_width, size, placed.settings, placed.levels, mode)
        found = self._cache.blocks.get(key)
        if found is None:
            found = self._cache.blocks[key] = self._new_block(placed, mode)
        return found

    def _new_block(self, placed: PlacedBlock, mode: Mode) -> SharedBlock:
        prefix = f"{placed.name}.{placed.kind}"
        return SharedBlock(block_in_mode(placed, mode), prefix, self._extent)

    def _extent(self, name: str, layout: Layout) -> Layout:
        """Return the shared layout of ``name``; an error names what the covering set does not hold."""
        extent = self.layouts.get(name)
        if extent is None or not all(holds(a, b) for a, b in zip(extent, layout, strict=True)):
            shape = [axis.size for axis in layout]
            held = "nothing" if extent is None else [axis.size for axis in extent]
            raise UsageError(f"parameter {name!r} of shape {shape} is not covered by the shared weights: held: {held}")
        return extent


def _is_trained(owner: nn.Module, name: str) -> bool:
    """Return whether the parameter ``name`` of ``owner`` is trained: fixed random numbers are not."""
    parameter = owner._parameters.get(name.rpartition(".")[2])
    return parameter is None or parameter.requires_grad
