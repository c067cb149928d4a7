"""Any ``torch.nn.Module`` class as a space, by naming its arguments as knobs.

    module_space("speech", SpeechNet, knobs={"width": (16, 32), "depth": (2, 3, 4)}, resolution=(40, 32))

registers the space ``speech``: the whole module is the network's one block, shared as prefixes like any other. So a
larger value of an ordered knob must hold the smaller ones: widths are numbers of channels, layers are numbered by
position (``nn.ModuleList``), kernels of convolutions share their centre. What lies otherwise in its tensor is declared
beside it (``layout.declare``). Scaling rules change the resolution and the arguments whose names end in ``_width``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from search_spaces.architecture import Architecture
from search_spaces.block import BlockType, blocks
from search_spaces.blueprint import Block, Blueprint, Setting, Stage
from search_spaces.building import NORMS
from search_spaces.conv import Size
from search_spaces.errors import UsageError, unknown
from search_spaces.knobs import Knob, Value
from search_spaces.layers import Layer
from search_spaces.layout import Plain, centre, declare, layout_of
from search_spaces.module_layers import traced_layers
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

MAX_NETWORKS = 4096
"""A wrapped module is counted whole, one run on the meta device (milliseconds) a network."""

FROM_PLACE = ("in_channels", "num_classes", "resolution")
CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
INITIALISED = (*CONVS, nn.Linear, *NORMS, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.InstanceNorm2d)


@dataclass(frozen=True)
class ModuleBlock:
    """A class as a kind of block.

    Attributes:
        make: the class.
        placed: which of ``in_channels``, ``num_classes`` and ``resolution`` (height, width) it takes.
    """

    make: Callable[..., nn.Module]
    placed: frozenset[str]

    @property
    def uses_size(self) -> bool:
        """Whether the module depends on the size of its input."""
        return "resolution" in self.placed

    def __call__(self, in_width: int, out_width: int, in_size: Size, **settings: object) -> nn.Module:
        """Build the module; kernels of its convolutions share their centre unless it declares another layout."""
        given = dict(zip(FROM_PLACE, (in_width, out_width, in_size), strict=True))
        module = self.make(**settings, **{name: given[name] for name in self.placed})
        for each in module.modules():
            if isinstance(each, CONVS) and layout_of(each.weight) == tuple(map(Plain, each.weight.shape)):
                declare(each.weight, *each.weight.shape[:2], *map(centre, each.weight.shape[2:]))
        return module

    def layers(self, in_width: int, out_width: int, in_size: Size, **settings: object) -> tuple[Layer, ...]:
        """Return what one image costs, traced once for each place and settings."""
        return _layers(self, in_width, out_width, in_size, tuple(settings.items()))


@lru_cache(maxsize=2 * MAX_NETWORKS)
def _layers(
    block: ModuleBlock, in_width: int, out_width: int, in_size: Size, settings: tuple[tuple[str, object], ...]
) -> tuple[Layer, ...]:
    with torch.device("meta"):
        return traced_layers(block(in_width, out_width, in_size, **dict(settings)), (in_width, *in_size))


class ModuleSpace(SearchSpace):
    """The space of a wrapped class; ``module_space`` makes and registers one.

    Attributes:
        block: the class as a kind of block, registered under the space's name.
        choices: the knobs; ``resolution`` is one where it is searched.
        side: (height, width) in pixels where it is not.
        fixed: further arguments of the class.
    """

    has_pyramid = False
    block: ClassVar[ModuleBlock]
    choices: ClassVar[tuple[Knob, ...]]
    side: ClassVar[Size]
    fixed: ClassVar[Mapping[str, Setting]]

    def __init__(self, settings: SpaceSettings) -> None:
        super().__init__(settings)
        for architecture in (self.largest(), self.smallest()):
            self._check(self.blueprint(architecture))

    def make_knobs(self) -> Sequence[Knob]:
        """Return the named arguments."""
        return self.choices

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the module as the head of a network without stages."""
        chosen = dict(architecture.choices)
        side = chosen.pop("resolution", None)
        channels = self.settings.in_channels
        return Blueprint(
            family=self.name,
            in_channels=channels,
            resolution=self.side if side is None else (int(side), int(side)),
            stem=Stage("stem", channels, (Block.of("module_input", scales=False),)),
            stages=(),
            head=Stage("head", self.settings.num_classes, (Block.of(self.name, **self.fixed, **chosen),)),
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what the input and the module depend on."""
        return {
            "stem": tuple(knob.name for knob in self.knobs if knob.name == "resolution"),
            "head": tuple(knob.name for knob in self.knobs),
        }

    def _check(self, blueprint: Blueprint) -> None:
        """Raise UsageError where the module is not what one way of initialising, sharing and counting understands."""
        settings = dict(blueprint.head.blocks[0].settings)
        with torch.device("meta"):
            module = self.block(blueprint.in_channels, blueprint.num_classes, blueprint.resolution, **settings)
            logits = module.eval()(torch.empty(1, blueprint.in_channels, *blueprint.resolution))
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        if shape != (1, blueprint.num_classes):
            raise UsageError(
                f"space {self.name!r}: the module gives {shape} for one image: "
                f"let it give logits of shape (1, {blueprint.num_classes})"
            )
        for path, owner in module.named_modules():
            self._check_owner(path, owner)

    def _check_owner(self, path: str, owner: nn.Module) -> None:
        parameters = list(owner.named_parameters(recurse=False))
        if parameters and not isinstance(owner, INITIALISED) and not hasattr(owner, "initialise"):
            raise UsageError(
                f"space {self.name!r}: nothing says how {type(owner).__name__} ({path or 'the module itself'}) starts "
                f"its parameter {parameters[0][0]!r}: give that class a method initialise(name, tensor) that fills it"
            )
        if not isinstance(owner, NORMS):
            for name, _ in owner.named_buffers(recurse=False):
                raise UsageError(
                    f"space {self.name!r}: {type(owner).__name__} ({path or 'the module itself'}) keeps the constant "
                    f"{name!r}: compute it in forward, on the data's device"
                )


def module_space(
    name: str,
    module_class: Callable[..., nn.Module],
    *,
    knobs: Mapping[str, Sequence[Value]],
    resolution: int | Size,
    fixed: Mapping[str, Setting] | None = None,
    categorical: Collection[str] = (),
) -> type[ModuleSpace]:
    """Register the networks of ``module_class`` as the space ``name`` and return its class.

    Args:
        name: of the space and of its kind of block.
        module_class: maps images (N, C, H, W) to logits (N, num_classes). It is given ``in_channels``, ``num_classes``
            and ``resolution`` (height, width) where it takes arguments of these names.
        knobs: values of each argument that is searched, ascending; texts are unordered. ``resolution`` lists sides.
        resolution: side, or (height, width), in pixels where it is no knob.
        fixed: values of further arguments.
        categorical: knobs whose larger numbers do not hold the smaller ones.

    Raises:
        UsageError: an argument is unknown, given twice or missing, the name is taken, or there are more than 4096
            networks, each of which is counted whole: make blocks of it instead.
    """
    fixed = dict(fixed or {})
    placed = _check_arguments(name, module_class, knobs, fixed)
    for each in categorical:
        if each not in knobs:
            raise unknown(f"categorical knob of space {name!r}", each, knobs)
    if (num := prod(map(len, knobs.values()))) > MAX_NETWORKS:
        raise UsageError(
            f"space {name!r} has {num} networks: a wrapped module may have {MAX_NETWORKS}: name fewer values"
        )
    choices = tuple(_knob(knob, values, knob in categorical) for knob, values in knobs.items())
    side = (resolution, resolution) if isinstance(resolution, int) else resolution
    block = ModuleBlock(module_class, placed)
    body = {"name": name, "block": block, "choices": choices, "side": side, "fixed": fixed}
    found: type[ModuleSpace] = type(module_class.__name__, (ModuleSpace,), {"__doc__": module_class.__doc__, **body})
    # An instance stands for the class that other kinds of block are: it is called and asked for layers alike.
    blocks.register(name)(cast(BlockType, block))
    spaces.register(name)(found)
    return found


def _knob(name: str, values: Sequence[Value], categorical: bool) -> Knob:
    return Knob(name, tuple(values), not categorical and not any(isinstance(value, str) for value in values))


def _check_arguments(
    name: str, module_class: Callable[..., nn.Module], knobs: Mapping[str, object], fixed: Mapping[str, object]
) -> frozenset[str]:
    """Return which of the place's arguments the class takes; the others must be named once."""
    parameters = inspect.signature(module_class).parameters
    given = [*(knob for knob in knobs if knob != "resolution"), *fixed]
    for argument in given:
        if argument not in parameters:
            raise unknown(f"argument of {module_class.__name__} in space {name!r}", argument, parameters)
        if given.count(argument) > 1:
            raise UsageError(f"space {name!r}: argument {argument!r} is a knob and fixed: leave one out")
    placed = frozenset(FROM_PLACE) & parameters.keys() - set(given)
    for argument, parameter in parameters.items():
        if parameter.default is parameter.empty and argument not in placed and argument not in given:
            raise UsageError(f"space {name!r}: argument {argument!r} has no value: make it a knob or fix it")
    return placed
