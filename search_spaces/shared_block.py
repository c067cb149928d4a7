"""One block on the meta device that runs on views of the shared tensors: which part of each goes where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.building import set_progress
from search_spaces.errors import UsageError
from search_spaces.kernel_transforms import is_transformed, matrices, transformed_kernel
from search_spaces.layout import Layout, Window, layout_of, take, window

Tensors = Mapping[str, Tensor]


@dataclass(slots=True)
class Slot:
    """Where one tensor goes in a block on the meta device, and which part of the shared tensor it is."""

    holder: dict[str, Any]
    attribute: str
    name: str
    extent: Layout
    layout: Layout
    whole: bool
    window: Window | None
    meta: Tensor

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the shared tensors that the part is a function of."""
        learned = matrices(self.name, self.extent, self.layout[-1].size) if is_transformed(self.extent) else ()
        return (self.name, *(name for _, name in learned))

    def part(self, source: Tensors) -> Tensor:
        """Return the part, in few autograd nodes, since they are what running inside the shared weights costs.

        Contiguous, as in the extracted module: the gradient of a matrix product rounds by the layout of its factors.
        """
        tensor = source[self.name]
        if self.whole:
            return tensor
        if self.window and tensor.is_contiguous():
            return self.window.of(tensor)
        if is_transformed(self.extent):
            return transformed_kernel(source, self.name, self.extent, self.layout)
        return take(tensor, self.extent, self.layout).contiguous()


@dataclass(slots=True)
class _Buffer:
    """Where one statistic of a BatchNorm goes."""

    holder: dict[str, Any]
    attribute: str
    name: str
    meta: Tensor

    def fresh(self, device: str | torch.device) -> Tensor:
        """Return it before the first batch: variances are 1, means and the number of batches 0."""
        make = torch.ones_like if self.attribute == "running_var" else torch.zeros_like
        return make(self.meta, device=device)


class SharedBlock:
    """One block on the meta device that runs on views: they are put in for the call and taken out after it.

    Args:
        module: the block, in its mode.
        prefix: of its parameters' names in the shared weights.
        extent: gives the shared layout of a name, by the name and the block's own layout.
    """

    def __init__(self, module: nn.Module, prefix: str, extent: Callable[[str, Layout], Layout]) -> None:
        self.module = module
        self.slots: list[Slot] = []
        self.buffers: list[_Buffer] = []
        self.scheduled = any(hasattr(part, "progress") for part in module.modules())
        self._fresh: dict[str | torch.device, dict[str, Tensor]] = {}
        for path, owner in module.named_modules():
            start = f"{prefix}.{path}." if path else f"{prefix}."
            for attribute, parameter in owner._parameters.items():
                if parameter is not None:
                    self.slots.append(_slot(owner._parameters, attribute, start + attribute, parameter, extent))
            for attribute, buffer in owner._buffers.items():
                if buffer is not None:
                    self.buffers.append(_Buffer(owner._buffers, attribute, start + attribute, buffer))

    def __call__(self, x: Tensor, source: Tensors, statistics: Tensors, progress: float) -> Tensor:
        """Return the block's output on its parts of ``source`` and the network's ``statistics``."""
        if self.scheduled:
            set_progress(self.module, progress)
        try:
            for slot in self.slots:
                slot.holder[slot.attribute] = slot.part(source)
            for buffer in self.buffers:
                if buffer.name not in statistics:
                    raise UsageError(
                        f"no BatchNorm statistics {buffer.name!r}: fill new_statistics in mode 'calibrate' first"
                    )
                buffer.holder[buffer.attribute] = statistics[buffer.name]
            out: Tensor = self.module(x)
            return out
        finally:
            for slot in self.slots:
                slot.holder[slot.attribute] = slot.meta
            for buffer in self.buffers:
                buffer.holder[buffer.attribute] = None

    def new_statistics(self, device: str | torch.device) -> dict[str, Tensor]:
        """Return fresh statistics by name: copies, since making hundreds of tensors costs ten times as much on meta."""
        if device not in self._fresh:
            self._fresh[device] = {buffer.name: buffer.fresh(device) for buffer in self.buffers}
        return {name: tensor.clone() for name, tensor in self._fresh[device].items()}


def _slot(
    holder: dict[str, Any], attribute: str, name: str, parameter: Tensor, extent: Callable[[str, Layout], Layout]
) -> Slot:
    layout = layout_of(parameter)
    whole = extent(name, layout)
    return Slot(holder, attribute, name, whole, layout, whole == layout, window(whole, layout), parameter)
