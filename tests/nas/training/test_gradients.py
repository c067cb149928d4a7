from __future__ import annotations

import pytest
import torch
from torch import nn

from nas.training.gradients import Processes, take_gradients, tree_sum
from search_spaces.errors import UsageError


def shard(number: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(number)
    return {"a": torch.randn(50, generator=generator), "b": torch.randn(3, 4, generator=generator)}


def test_the_order_of_the_sum_is_the_balanced_tree() -> None:
    a = [shard(number)["a"] for number in range(8)]
    expected = ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]))
    assert torch.equal(tree_sum(shard, 0, 8)["a"], expected)
    one_by_one = a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7]
    assert not torch.equal(expected, one_by_one), "the order matters to the bits"


@pytest.mark.parametrize("num_processes", [1, 2, 4, 8])
def test_branches_summed_apart_and_then_together_are_the_whole_tree(num_processes) -> None:
    whole = tree_sum(shard, 0, 8)
    shares = [Processes(rank, num_processes).shards(8) for rank in range(num_processes)]
    branches = [tree_sum(shard, share.start, len(share)) for share in shares]
    together = tree_sum(lambda rank: branches[rank], 0, num_processes)
    assert [number for share in shares for number in share] == list(range(8))
    assert all(torch.equal(together[name], whole[name]) for name in whole)


@pytest.mark.parametrize(("num_shards", "num_processes"), [(1, 2), (4, 3), (2, 4)])
def test_shards_that_cannot_be_shared_out_are_refused(num_shards, num_processes) -> None:
    with pytest.raises(UsageError, match=rf"gradient_shards = {num_shards} for {num_processes} processes: allowed"):
        Processes(0, num_processes).shards(num_shards)


def test_one_process_exchanges_nothing() -> None:
    alone = Processes.current()
    parts = shard(0)
    assert alone == Processes(0, 1)
    assert alone.leads
    assert alone.sum(parts) is parts
    assert alone.told_by_the_leader(0.5, torch.device("cpu")) == 0.5


def test_gradients_are_taken_from_the_tensors_that_have_one() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    (used.sum() * 3).backward()
    found = take_gradients({"used": used, "unused": unused})
    assert list(found) == ["used"]
    assert torch.equal(found["used"], torch.full((2,), 3.0))
    assert used.grad is None
