"""Slots of a network whose block is a choice, and the network whose slots give a weighted sum of all choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from search_spaces.architecture import Architecture
from search_spaces.blueprint import PlacedBlock
from search_spaces.errors import UsageError, unknown
from search_spaces.pyramid import Pyramid
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace


@dataclass(frozen=True)
class Slot:
    """One place whose block one categorical knob chooses.

    Attributes:
        knob: its name.
        place: name of the position, as ``stage1.block2``.
        variants: the block of each of the knob's values; inputs and outputs have equal shapes.
    """

    knob: str
    place: str
    variants: tuple[PlacedBlock, ...]


def find_slots(space: SearchSpace, base: Architecture, knobs: Sequence[str]) -> tuple[Slot, ...]:
    """Return the slot of each of ``knobs`` in the network ``base``, which says what all other knobs are.

    Raises:
        UsageError: a knob is unknown, ordered or inactive in ``base``; it changes more than one block, or none; or two
            of them change the same one.
    """
    found = tuple(_slot(space, base, knob) for knob in knobs)
    at: dict[str, str] = {}
    for slot in found:
        if slot.place in at:
            raise UsageError(f"knobs {at[slot.place]!r} and {slot.knob!r} both change {slot.place}: leave one out")
        at[slot.place] = slot.knob
    if not found:
        raise UsageError(f"no knob to choose was given: allowed: {_allowed(space, base)}")
    return found


def _slot(space: SearchSpace, base: Architecture, name: str) -> Slot:
    if name not in space.column:
        raise unknown(f"knob of space {space.name!r}", name, space.column)
    knob = space.knobs[space.column[name]]
    if knob.ordered or name not in base.values:
        state = "ordered" if knob.ordered else "inactive in the network that was given"
        raise UsageError(f"knob {name!r} is {state}: choose among: {_allowed(space, base)}")
    networks = [
        {block.name: block for block in space.blueprint(_with(space, base, name, index)).placed()}
        for index in range(len(knob.values))
    ]
    places = [place for place in networks[0] if any(other.get(place) != networks[0][place] for other in networks)]
    if len(places) != 1 or any(other.keys() != networks[0].keys() for other in networks):
        what = ", ".join(places) or "no block"
        raise UsageError(f"knob {name!r} changes {what}: choose a knob that changes the kind or settings of one block")
    return Slot(name, places[0], tuple(network[places[0]] for network in networks))


def _with(space: SearchSpace, base: Architecture, name: str, index: int) -> Architecture:
    genes = space.encode([base])
    genes[:, space.column[name]] = index
    return space.decode(genes)[0]


def _allowed(space: SearchSpace, base: Architecture) -> str:
    names = [knob.name for knob in space.knobs if not knob.ordered and knob.name in base.values]
    return ", ".join(names) or "none: the space has no categorical knob"


def run_mixture(
    shared: SharedWeights,
    placed_blocks: Sequence[PlacedBlock],
    slots: Sequence[Slot],
    weights: Sequence[Tensor],
    x: Tensor,
    progress: float = 1.0,
) -> Tensor:
    """Return the output of the network whose slots give sum_i w_i block_i(x), inside the shared weights.

    Args:
        shared: the shared weights; mode ``train``.
        placed_blocks: of the network; those at the slots are replaced.
        slots: where choices stand.
        weights: of each slot, (its choices,).
        x: images (n, channels, height, width).
        progress: how far training has come, 0 to 1.
    """
    at = {slot.place: (slot, weight) for slot, weight in zip(slots, weights, strict=True)}
    pyramid = Pyramid(placed_blocks, x)
    for placed in placed_blocks:
        if placed.name not in at:
            x = shared.run_block(placed, pyramid.input_of(placed, x), progress=progress)
        else:
            slot, weight = at[placed.name]
            outputs = torch.stack([shared.run_block(variant, x, progress=progress) for variant in slot.variants])
            x = torch.tensordot(weight.to(outputs.dtype), outputs, dims=1)
        pyramid.add(placed, x)
    return x


def mixture_weights(log_weights: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Return softmax((log w + g) / temperature), g Gumbel noise from ``generator``, a generator of the CPU; (choices,).

    Jang et al. 2017 (arXiv 1611.01144), equation 2.
    """
    uniform = torch.rand(log_weights.shape, generator=generator, dtype=torch.float64).clamp(min=1e-300)
    gumbel = -torch.log(-torch.log(uniform))
    return torch.softmax((log_weights + gumbel.to(log_weights)) / temperature, 0)
