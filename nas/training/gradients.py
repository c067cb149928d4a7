"""Sums of gradients in one fixed order, in one process or over several: the bits do not depend on their number.

A step's images are cut in shards, a power of two. Their gradients are added as a balanced binary tree: neighbours,
then neighbouring pairs, and so on. A process that holds 2^k neighbouring shards adds a whole branch of that tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from search_spaces.errors import UsageError

Parts = dict[str, Tensor]
"""What one shard adds to a step, by name."""


def tree_sum(part: Callable[[int], Parts], first: int, num: int) -> Parts:
    """Return the sum of ``part(first)`` ... ``part(first + num - 1)`` as a balanced binary tree.

    Args:
        part: called once for each number, in order; what it returns may be changed in place. All have the same names.
        first: the first number.
        num: how many, a power of two.
    """
    if num == 1:
        return part(first)
    left, right = tree_sum(part, first, num // 2), tree_sum(part, first + num // 2, num // 2)
    assert left.keys() == right.keys(), "shards of one step use the same tensors"
    torch._foreach_add_(list(left.values()), [right[name] for name in left])
    return left


@dataclass(frozen=True)
class Processes:
    """The processes that train together, and which of them this one is.

    Attributes:
        rank: of this process; 0 leads: it alone writes and evaluates.
        num: how many.
    """

    rank: int = 0
    num: int = 1

    @staticmethod
    def current() -> Processes:
        """Return the processes of torch.distributed's default group; one where there is none."""
        distributed = torch.distributed
        if not (distributed.is_available() and distributed.is_initialized()):
            return Processes()
        return Processes(distributed.get_rank(), distributed.get_world_size())

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and evaluates."""
        return self.rank == 0

    def shards(self, num_shards: int) -> range:
        """Return the shards of this process.

        Raises:
            UsageError: the shards can't be shared out evenly.
        """
        if num_shards % self.num:
            raise UsageError(
                f"training.gradient_shards = {num_shards} for {self.num} processes: allowed: a multiple of their "
                "number, a power of two; set training.gradient_shards to it"
            )
        each = num_shards // self.num
        return range(self.rank * each, (self.rank + 1) * each)

    def sum(self, parts: Parts) -> Parts:
        """Return the sum over all processes, the same bits in each; one exchange, of one flat tensor."""
        if self.num == 1:
            return parts
        flat = torch.cat([tensor.flatten() for tensor in parts.values()])
        gathered = [torch.empty_like(flat) for _ in range(self.num)]
        torch.distributed.all_gather(gathered, flat)
        total = tree_sum(lambda rank: {"": gathered[rank]}, 0, self.num)[""]
        pieces = torch.split(total, [tensor.numel() for tensor in parts.values()])
        return {name: piece.view(tensor.shape) for (name, tensor), piece in zip(parts.items(), pieces, strict=True)}

    def told_by_the_leader(self, value: float, device: torch.device) -> float:
        """Return what the leader gave as ``value``, in every process."""
        if self.num == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=device)
        torch.distributed.broadcast(told, src=0)
        return float(told)


def take_gradients(parameters: Mapping[str, torch.nn.Parameter]) -> Parts:
    """Return the gradients of the tensors that have one, by name, and leave none behind."""
    found = {name: tensor.grad for name, tensor in parameters.items() if tensor.grad is not None}
    for tensor in parameters.values():
        tensor.grad = None
    return found
