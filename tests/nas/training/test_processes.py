from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import toy_processes
from toy_processes import Unstable, made, steps
from toy_training import IDENTITY, settings, trainer, transformers

from nas.training.batch import UNCHANGED
from nas.training.checkpoint import load_tensors
from nas.training.loop import Watch, train
from search_spaces.errors import UsageError

CASES = ("convolutions-sandwich", "transformers-sorted", "convolutions-multi_architecture")


def run_processes(folder: Path, what: str, num: int) -> None:
    """Train in ``num`` real processes that meet in ``folder``."""
    started = [
        subprocess.Popen([sys.executable, toy_processes.__file__, str(folder), what, str(rank), str(num)])
        for rank in range(num)
    ]
    assert [process.wait(300) for process in started] == [0] * num


@pytest.fixture
def one_thread():
    """Bits depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
class TestTwoProcesses:
    def test_end_in_the_bits_of_one_after_20_steps(self, tmp_path) -> None:
        run_processes(tmp_path, ",".join(CASES), 2)
        for case in CASES:
            alone = steps(made(*case.split("-"))).state()
            for rank in range(2):
                together, _ = load_tensors(tmp_path / f"{case}-rank{rank}")
                assert together.keys() == alone.keys()
                for name, tensor in alone.items():
                    assert torch.equal(together[name], tensor), (case, name)

    @pytest.mark.slow
    def test_the_loop_writes_once_and_rolls_back_together(self, tmp_path) -> None:
        run_processes(tmp_path, "loop", 2)
        said: list[str] = []
        train(made("transformers", "uniform", Unstable), tmp_path / "alone", IDENTITY, Watch(warn=said.append))
        assert len(said) == 1
        names = sorted(path.name for path in (tmp_path / "alone").iterdir())
        assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == names
        alone, header = load_tensors(tmp_path / "alone" / names[-1])
        together, other = load_tensors(tmp_path / "checkpoints" / names[-1])
        assert header["points"] == other["points"]
        assert (header["num_processes"], other["num_processes"]) == (1, 2)
        assert all(torch.equal(together[name], tensor) for name, tensor in alone.items())


class TestShards:
    def test_more_shards_are_other_bits_but_the_same_sum_where_no_norm_sees_the_batch(self) -> None:
        """A transformer's images do not see each other; each shard draws its changes on its own."""

        def gradients(shards: int) -> dict[str, torch.Tensor]:
            made = trainer(transformers(), sampler="uniform", gradient_shards=shards)
            made._batches._augmentation = UNCHANGED
            made.accumulate(0)
            return {name: t.grad for name, t in made.shared.tensors.items() if t.grad is not None}

        one, four = gradients(1), gradients(4)
        assert one.keys() == four.keys()
        assert all(torch.allclose(one[name], four[name], atol=1e-6) for name in one)

    @pytest.mark.parametrize("shards", [3, 6, 12])
    def test_a_power_of_two(self, shards) -> None:
        with pytest.raises(UsageError, match=f"gradient_shards got {shards}: allowed: a power of two"):
            settings(gradient_shards=shards)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"gradient_shards": 8}, "batch_size got 8: 8 gradient_shards cut it in 8 equal parts of 2 images or more"),
            ({"gradient_shards": 2, "batch_size": 9}, "give a multiple of 2, at least 4"),
            (
                {"sampler": "multi_architecture", "networks_per_step": 12},
                "batch_size got 8: 12 networks x 1 gradient_shards cut it in 12 equal parts",
            ),
            ({"sampler": "multi_architecture", "networks_per_step": 3}, "give a multiple of 3, at least 6"),
        ],
    )
    def test_a_batch_that_cannot_be_cut_is_refused(self, given, message) -> None:
        with pytest.raises(UsageError, match=message):
            trainer(transformers(), **given)
