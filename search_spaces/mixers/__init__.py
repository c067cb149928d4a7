"""Token mixers, one file each: what a metaformer block mixes the cells of a map with (Yu et al. 2022).

A mixer maps (N, width, H, W) to the same shape and has no residual of its own; the block ``token_mixer`` puts a norm
before it and the sum behind it. One file here makes a mixer a choice of the space ``hybrid`` and a row of the table of
operators. The contract, ``check_mixer`` in ``search_spaces/testing_mixers.py``, can be run on one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from search_spaces.layers import Layer
from search_spaces.mixers.place import Place
from search_spaces.registry import Registry

if TYPE_CHECKING:
    from torch import nn

Reach = Literal["kernel", "window", "none"]


class MixerType(Protocol):
    """What a mixer's class gives; a shape that it can't take is a UsageError of both."""

    def __call__(self, place: Place) -> nn.Module:
        """Build the module."""

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs while ``held`` elements wait for the residual sum."""


M = TypeVar("M", bound=MixerType)


@dataclass(frozen=True, slots=True)
class Mixer:
    """A registered token mixer.

    Attributes:
        build: its class.
        reach: which setting of the place says how far it sees; the other one is not searched with it.
    """

    build: MixerType
    reach: Reach


mixers: Registry[Mixer] = Registry("token mixer", "search_spaces.mixers")


def register_mixer(name: str, reach: Reach = "none") -> Callable[[M], M]:
    """Return the decorator that registers a mixer's class under ``name``."""

    def enter(build: M) -> M:
        mixers.register(name)(Mixer(build, reach))
        return build

    return enter
