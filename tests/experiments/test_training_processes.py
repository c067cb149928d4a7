from __future__ import annotations

import csv
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from experiments.config import make_config
from experiments.context import alone
from experiments.processes import follows, processes_together
from experiments.ray_cluster import import_ray
from experiments.ray_training import ray_together
from experiments.run import run_study
from experiments.store.store import Store
from experiments.talk import Talk
from nas.training.checkpoint import load_checkpoint
from search_spaces.errors import UsageError

CONFIG = {
    "seed": 3,
    "data": {"source": "digits", "max_images": 300, "calibration_images": 48},
    "space": {"name": "autoformer", "form": "small_image"},
    "training": {"epochs": 4, "batch_size": 16, "checkpoint_every": 10, "gradient_shards": 2},
    "latency": {"targets": ["h100:bf16:b32"], "measure": False},
}


def train(folder: Path, name: str, together=alone):
    with Store.open(str(folder / "nas.db")) as store:
        run_study(
            make_config({**CONFIG, "name": name}, "test"),
            store,
            folder,
            Talk(quiet=True),
            "training",
            together=together,
        )
    return load_checkpoint(folder / name / "checkpoints", print)


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def assert_same(one, other, num_processes: int) -> None:
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(one[0][name], other[0][name]) for name in one[0])
    assert one[1]["points"] == other[1]["points"]
    assert (one[1]["num_processes"], other[1]["num_processes"]) == (1, num_processes)


@pytest.mark.usefixtures("one_thread")
class TestTogether:
    def test_two_local_processes_train_what_one_trains(self, tmp_path) -> None:
        one = train(tmp_path, "one")
        two = train(tmp_path, "two", processes_together(2))
        assert_same(one, two, 2)
        assert torch.get_num_threads() == 1
        assert not torch.distributed.is_initialized()
        for name in ("one", "two"):
            with open(tmp_path / name / "curves.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            assert [int(row["step"]) for row in rows] == [point["step"] for point in one[1]["points"]]
            assert [float(row["accuracy_largest"]) for row in rows] == [
                point["validation_accuracy"]["largest"] for point in one[1]["points"]
            ]

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's of its own settings.
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_two_workers_of_ray_train_what_one_process_trains(self, tmp_path) -> None:
        pytest.importorskip("ray", reason="the extra 'ray' is not installed")
        assert_same(train(tmp_path, "one"), train(tmp_path, "ray", ray_together("local", 2)), 2)

    @pytest.mark.slow
    @pytest.mark.timeout(1800)
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's of its own settings.
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_a_node_that_is_killed_in_the_training_changes_nothing(self, tmp_path, monkeypatch) -> None:
        pytest.importorskip("ray", reason="the extra 'ray' is not installed")
        ray = import_ray()
        from ray.cluster_utils import Cluster

        monkeypatch.setitem(CONFIG["training"], "epochs", 60)
        one = train(tmp_path, "one")
        # Two nodes of one machine need two addresses; the one that is lost is replaced.
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            other = cluster.add_node(num_cpus=1, node_ip_address="127.0.0.2")
            ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            checkpoints = tmp_path / "ray" / "checkpoints"
            # Ray adds nodes in the main thread alone: the training has another.
            with ThreadPoolExecutor(1) as pool:
                trained = pool.submit(train, tmp_path, "ray", ray_together(cluster.address, 2))
                while not trained.done() and not list(checkpoints.glob("step-*0.safetensors")):
                    time.sleep(0.02)
                killed = [path.name for path in checkpoints.glob("step-*")]
                cluster.remove_node(other, allow_graceful=False)
                cluster.add_node(num_cpus=1, node_ip_address="127.0.0.3")
                two = trained.result()
            assert len(ray.nodes()) == 3
        finally:
            ray.shutdown()
            cluster.shutdown()
        last = max(path.name for path in checkpoints.glob("step-*"))
        assert killed
        assert last not in killed
        assert_same(one, two, 2)


class TestBadInput:
    @pytest.mark.parametrize("num", [0, 3, -1])
    def test_a_number_that_is_no_power_of_two(self, num) -> None:
        with pytest.raises(UsageError, match=rf"--processes got {num}: allowed: a power of two"):
            processes_together(num)

    def test_more_processes_than_shards(self, tmp_path) -> None:
        with pytest.raises(UsageError, match="gradient_shards = 2 for 4 processes: allowed: a multiple"):
            train(tmp_path, "four", processes_together(4))

    def test_under_torchrun_its_processes_are_used(self, monkeypatch) -> None:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
        for rank in ("0", "1"):
            monkeypatch.setenv("RANK", rank)
            assert follows() == (rank == "1")
        with pytest.raises(UsageError, match="--processes got 2 under torchrun, which started its own: leave it out"):
            processes_together(2)
        assert processes_together(1) is not alone

    def test_without_ray_the_line_that_installs_it(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "ray", None)
        with pytest.raises(UsageError, match=r"ray is not installed: run pip install 'nas\[ray\]'"):
            train(tmp_path, "none", ray_together("local", 2))
