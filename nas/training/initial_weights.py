"""Shared weights that begin as a person's own trained network: the largest of the space, from a safetensors file.

Its parameters, by the names of ``build``, go to their part of the shared tensors; then the channels inside the blocks
are sorted by importance (``importance.py``), so that smaller networks begin with the important ones. What only other
networks use (other operators) begins at random; statistics of norms are not taken, since each network has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nas.scaled_start import copy_overlap
from nas.training.checkpoint import read_tensors
from nas.training.importance import Sorting, sort_channels
from search_spaces.building import Network, block_in_mode
from search_spaces.errors import UsageError
from search_spaces.layout import layout_of
from search_spaces.sharing import SharedWeights

SHOWN = 3
"""Names of one kind that an error lists."""


@dataclass(frozen=True)
class Begun:
    """What a file gave.

    Attributes:
        num_tensors: shared tensors that took something; of ``all_tensors``.
        sorting: of the channels.
    """

    num_tensors: int
    all_tensors: int
    sorting: Sorting


@torch.no_grad()
def begin_from(shared: SharedWeights, path: Path) -> Begun:
    """Fill ``shared`` from the network in the file, and sort its channels.

    Args:
        shared: fresh.
        path: safetensors file of the state of ``build(space.blueprint(space.largest()))`` after training, in any
            floating type; an export's ``model.safetensors`` is one.

    Raises:
        UsageError: the file can't be read, or lacks a parameter, has one more or one of another shape; it names them.
        StorageError: the disk or the file's permissions forbid to read it.
    """
    blueprint = shared.space.blueprint(shared.space.largest())
    network = Network([(placed, block_in_mode(placed, "evaluate")) for placed in blueprint.placed()])
    parameters, given = dict(network.named_parameters()), read_tensors(path)
    statistics = {name for name, _ in network.named_buffers()}
    found = {name: tensor for name, tensor in given.items() if name not in statistics}
    _require_same(path, shared.space.name, found, parameters)
    for name, parameter in parameters.items():
        source = found[name].to(shared.tensors[name])
        copy_overlap(shared.tensors[name], shared.layouts[name], source, layout_of(parameter))
    return Begun(len(parameters), len(shared.tensors), sort_channels(shared))


def _require_same(path: Path, space: str, given: Mapping[str, Tensor], needed: Mapping[str, Tensor]) -> None:
    """Raise UsageError that names what is missing, unknown, or of another shape or type."""
    problems = {
        "lacks": [f"{name} {list(needed[name].shape)}" for name in needed if name not in given],
        "has besides": [name for name in given if name not in needed],
        "has in another shape": [
            f"{name} {list(given[name].shape)} instead of {list(tensor.shape)}"
            for name, tensor in needed.items()
            if name in given and given[name].shape != tensor.shape
        ],
        "holds no floating numbers in": [name for name in given if not given[name].is_floating_point()],
    }
    said = [f"{what} {_some(names)}" for what, names in problems.items() if names]
    if said:
        raise UsageError(
            f"{path.name} is not the largest network of space {space!r}: it {'; it '.join(said)}: give the weights of "
            f"the network that 'nas spaces {space} --member largest' names, under the settings of this study"
        )


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(sorted(names)[:SHOWN]) + more
