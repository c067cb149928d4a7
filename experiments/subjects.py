"""What ``nas measure`` measures: whole networks, the distinct blocks of a network, or its distinct kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from search_spaces.block import block_layers, network_blocks, network_layers
from search_spaces.blueprint import Blueprint
from search_spaces.errors import unknown
from search_spaces.layers import Layer

if TYPE_CHECKING:
    from torch import nn

SubjectKind = Literal["network", "block", "kernel"]


@dataclass(frozen=True)
class Subject:
    """One thing to measure.

    Attributes:
        name: of the network; of a block ``NETWORK/stage2.block1.mbconv``, of a kernel its module.
        kind: what it is.
        shape: of its input at batch 1; a batch of n multiplies the first axis by n (windows of an image are rows too).
        module: the module itself, on the CPU.
        count: how often the network holds it.
        layers: closed form, for the analytic latency beside it; empty where there is none.
        blueprint: of a network.
    """

    name: str
    kind: SubjectKind
    shape: tuple[int, ...]
    module: nn.Module
    count: int = 1
    layers: tuple[Layer, ...] = ()
    blueprint: Blueprint | None = None

    @property
    def blocks(self) -> list[tuple[Layer, ...]]:
        """The closed form, block by block; of what is no network, one block."""
        return [self.layers] if self.blueprint is None else network_blocks(self.blueprint)


def subjects_of(name: str, blueprint: Blueprint, part: SubjectKind, kind: str | None = None) -> list[Subject]:
    """Return the network itself, its distinct blocks (of one ``kind`` alone, where given) or its distinct kernels.

    Raises:
        UsageError: the network has no block of that kind; those it has are listed.
    """
    if part == "kernel":
        return kernel_subjects(name, blueprint)
    if part == "block":
        return block_subjects(name, blueprint, kind)
    return [network_subject(name, blueprint)]


def network_subject(name: str, blueprint: Blueprint) -> Subject:
    """Return the whole network of ``blueprint``."""
    from search_spaces.building import build

    shape = (1, blueprint.in_channels, *blueprint.resolution)
    layers = tuple(network_layers(blueprint))
    return Subject(name, "network", shape, build(blueprint), 1, layers, blueprint)


def block_subjects(name: str, blueprint: Blueprint, kind: str | None = None) -> list[Subject]:
    """Return the distinct blocks of a network: by kind, widths, settings and input.

    Args:
        name: of the network.
        blueprint: of the network.
        kind: only the blocks of this kind.

    Raises:
        UsageError: the network has no block of that kind; those it has are listed.
    """
    from search_spaces.building import build

    network = build(blueprint)
    placed = list(blueprint.placed())
    if kind is not None and kind not in {each.kind for each in placed}:
        raise unknown(f"block kind in {name}", kind, {each.kind for each in placed})
    modules = [network.get_submodule(f"{each.name}.{each.kind}") for each in placed]
    shapes = dict(_inputs(network, blueprint, lambda module: module in modules))
    found: dict[Any, Subject] = {}
    for each, module in zip(placed, modules, strict=True):
        if kind not in (None, each.kind) or module not in shapes:
            continue
        key = (each.kind, each.in_width, each.out_width, each.in_size, each.settings, shapes[module])
        label = f"{name}/{each.name}.{each.kind}"
        first = found.get(key) or Subject(label, "block", shapes[module], module, 0, block_layers(each))
        found[key] = _once_more(first)
    return list(found.values())


def kernel_subjects(name: str, blueprint: Blueprint) -> list[Subject]:
    """Return the distinct kernels of a network: modules without parts, by their settings and input.

    Operations that are no module (additions, attention products) are not among them.
    """
    from search_spaces.building import build

    network = build(blueprint)
    found: dict[tuple[str, tuple[int, ...]], Subject] = {}
    for module, shape in _inputs(network, blueprint, _is_kernel):
        key = (repr(module), shape)
        label = f"{name}/{key[0]}/{'x'.join(map(str, shape))}"
        found[key] = _once_more(found.get(key) or Subject(label, "kernel", shape, module, 0))
    return list(found.values())


def _is_kernel(module: nn.Module) -> bool:
    from torch import nn

    return not list(module.children()) and not isinstance(module, nn.Identity)


def _once_more(subject: Subject) -> Subject:
    return replace(subject, count=subject.count + 1)


def _inputs(
    network: nn.Module, blueprint: Blueprint, wanted: Callable[[nn.Module], bool]
) -> Iterator[tuple[nn.Module, tuple[int, ...]]]:
    """Yield (module, shape of its input at batch 1) of those with one tensor as input, in the order of the pass."""
    import torch

    seen: list[tuple[nn.Module, tuple[int, ...]]] = []

    def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if len(inputs) == 1 and isinstance(inputs[0], torch.Tensor) and inputs[0].ndim > 1:
            seen.append((module, tuple(inputs[0].shape)))

    hooks = [module.register_forward_pre_hook(note) for module in network.modules() if wanted(module)]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, blueprint.in_channels, *blueprint.resolution))
    for hook in hooks:
        hook.remove()
    return iter(seen)
