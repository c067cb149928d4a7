"""A search on a real Ray cluster of two nodes, one of which is killed: the same rows and front as in this process."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.config import make_config
from experiments.evaluating import Evaluating, here
from experiments.ray_cluster import import_ray
from experiments.ray_evaluating import arrays_to_images, images_to_arrays, ray_evaluating
from experiments.run import run_study
from experiments.store.store import Store
from experiments.talk import Talk
from nas.data.settings import DataSettings
from nas.data.splits import load_data
from search_spaces.errors import UsageError

SETTINGS = {
    "data": {"source": "digits", "max_images": 300, "calibration_images": 30},
    "training": {"epochs": 1, "batch_size": 64},
    "latency": {"targets": ["h100:bf16:b32"], "measure": False},
    "search": {"evaluations": 24, "settings": {"num_initial": 12, "num_offspring": 6}, "compare": []},
}


def search(folder: Path, evaluating: Evaluating) -> tuple[list[Any], dict[str, Any], int]:
    """Return the front, the rows, and how many evaluations were begun again."""
    config = make_config({"name": "study", **SETTINGS}, "test")
    with Store.open(str(folder / "nas.db")) as store:
        run_study(config, store, folder, Talk(quiet=True), "search", evaluating=evaluating)
        study = store.load("study")
        front = json.loads((folder / "study" / "front.json").read_text())["joint_front"]
        attempts = study.attempts("evaluation")
        return front, study.done("evaluation"), sum(attempts.values()) - len(attempts)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_the_images_come_back_from_their_arrays_without_the_other_sets() -> None:
    data = load_data(DataSettings(max_images=200, calibration_images=30), 0)
    back = arrays_to_images(images_to_arrays(data), data.task)
    for name in ("calibration", "validation"):
        assert torch.equal(getattr(back, name).images, getattr(data, name).images)
        assert torch.equal(getattr(back, name).labels, getattr(data, name).labels)
    assert (len(back.training), len(back.test)) == (0, 0)
    assert (back.mean, back.std, back.num_classes, back.in_channels) == (data.mean, data.std, 10, 1)


@pytest.mark.parametrize(("address", "message"), [("nowhere", "give local, or"), ("127.0.0.1:1", "127.0.0.1:1")])
def test_a_cluster_that_does_not_answer_is_one_line(tmp_path: Path, address: str, message: str) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    with pytest.raises(UsageError, match=message):
        search(tmp_path, ray_evaluating(address, 1))
    with pytest.raises(UsageError, match="--workers got 0"):
        ray_evaluating("local", 0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_node_that_is_killed_in_the_search_changes_nothing(tmp_path: Path, one_thread: None) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    ray = import_ray()
    from ray.cluster_utils import Cluster

    front, rows, _ = search(tmp_path / "here", here)
    # Two nodes of one machine need two addresses.
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        other = cluster.add_node(num_cpus=1, node_ip_address="127.0.0.2")
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")

        def kill() -> None:
            with Store.open(str(tmp_path / "ray" / "nas.db")) as store:
                while not [study for study in store.studies() if study.num_evaluations >= 5]:
                    time.sleep(0.05)
            cluster.remove_node(other, allow_graceful=False)

        killer = threading.Thread(target=kill)
        killer.start()
        found, stored, _ = search(tmp_path / "ray", ray_evaluating(cluster.address, 2))
        killer.join()
        assert len(ray.nodes()) == 2
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert found == front
    assert stored == {key: rows[key] for key in stored}
    assert set(stored) == set(rows)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_any_number_of_workers_finds_the_same_front(tmp_path: Path, one_thread: None) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    front, rows, _ = search(tmp_path / "here", here)
    for workers in (1, 2):
        found, stored, _ = search(tmp_path / str(workers), ray_evaluating("local", workers))
        assert (found, stored) == (front, rows)
