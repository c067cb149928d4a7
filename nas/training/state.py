"""The state of training as named tensors, for checkpoints: everything that the next step depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search_spaces.errors import ConflictError

Named = Mapping[str, Tensor]


def optimiser_state(optimiser: torch.optim.Optimizer, parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """Return the optimiser's tensors, named ``entry/parameter``."""
    return {
        f"{entry}/{name}": value
        for name, tensor in parameters.items()
        for entry, value in optimiser.state.get(tensor, {}).items()
    }


def load_optimiser(
    optimiser: torch.optim.Optimizer, parameters: Mapping[str, nn.Parameter], state: Named, device: torch.device
) -> None:
    """Put the ``optimiser_state`` of another optimiser of the same parameters into this one."""
    optimiser.state.clear()
    for key, value in state.items():
        entry, _, name = key.partition("/")
        # A fused optimiser counts steps on the device.
        fused = optimiser.defaults.get("fused")
        where = "cpu" if entry == "step" and not fused else device
        optimiser.state[parameters[name]][entry] = value.clone().to(where)


def under(prefix: str, tensors: Named) -> dict[str, Tensor]:
    """Return ``tensors`` with ``prefix/`` before each name."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def below(prefix: str, state: Named) -> dict[str, Tensor]:
    """Return the tensors of ``state`` whose names begin with ``prefix/``, without it."""
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """Return copies of arrays as tensors."""
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def to_arrays(tensors: Named) -> dict[str, NDArray[Any]]:
    """Return copies of tensors as arrays."""
    return {name: tensor.cpu().numpy().copy() for name, tensor in tensors.items()}


def check_same_shapes(stored: Named, needed: Named) -> None:
    """Raise ConflictError where a stored tensor is missing, of another shape, or not needed."""
    shapes, wanted = ({name: list(t.shape) for name, t in each.items()} for each in (stored, needed))
    for name in sorted(shapes.keys() | wanted.keys()):
        if shapes.get(name) != wanted.get(name):
            raise ConflictError(
                f"the stored training state has parameter {name!r} of shape {shapes.get(name)}, the space needs "
                f"{wanted.get(name)}: the code of the space changed since: choose another study name or folder"
            )
