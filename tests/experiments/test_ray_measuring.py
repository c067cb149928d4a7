"""Timings on a Ray cluster: on the node with the device, one at a time, with rows as local ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nas_command import Nas, nas

from experiments.ray_cluster import import_ray
from experiments.ray_measuring import device_resources
from predictors.target import target
from search_spaces.errors import UsageError

__all__ = ["nas"]

NETWORK = "nb201_all_avg_pool_3x3"


def node(alive: bool = True, **resources: float) -> dict[str, Any]:
    return {"Alive": alive, "Resources": {name.replace("_", ":"): value for name, value in resources.items()}}


def test_a_node_that_names_the_device_is_asked_for() -> None:
    nodes = [node(CPU=8), node(CPU=4, GPU=1, device_orin=1)]
    assert device_resources(nodes, target("orin"), "a:1") == {"resources": {"device:orin": 1}, "num_gpus": 1}
    board = [node(CPU=4, device_orin=1)]
    assert device_resources(board, target("orin"), "a:1") == {"resources": {"device:orin": 1}, "num_gpus": 0}


def test_without_a_name_a_gpu_or_all_cores_of_a_node_are_asked_for() -> None:
    nodes = [node(CPU=8), node(CPU=4, GPU=2), node(alive=False, CPU=64, GPU=8, device_t4=1)]
    assert device_resources(nodes, target("t4"), "a:1") == {"num_gpus": 1}
    assert device_resources(nodes, target("cpu"), "a:1") == {"num_cpus": 8}


def test_a_cluster_without_the_device_is_named() -> None:
    with pytest.raises(UsageError, match=r"no node there has h100: start one on it with ray start --resources"):
        device_resources([node(CPU=8)], target("h100"), "a:1")


def test_what_is_no_timing_is_refused(nas: Nas) -> None:
    error = nas("measure", NETWORK, "--ray", "local", "--memory", code=2).error
    assert "--ray is for timing: give it without --memory, --bundle and --import" in error


@pytest.mark.slow
def test_networks_are_timed_on_the_node_with_the_device(nas: Nas, tmp_path: Path) -> None:
    ray = import_ray()
    ray.init(address="local", num_cpus=2, resources={"device:cpu": 1}, include_dashboard=False, log_to_driver=False)
    try:
        database = tmp_path / "m.db"
        given = ("measure", NETWORK, "--budget-s", "0.01", "--threads", "1", "--batch", "2", "--ray", "local")
        rows = nas(*given, "--storage", database, "--json").data
        [row] = rows
        assert (row["name"], row["target"], row["obtained"]) == (NETWORK, "cpu:fp32:b2", "measured")
        assert 0 < row["latency_ms"] <= row["p95_ms"]
        assert row["versions"]["node"]
        assert [each["name"] for each in nas("study", "list", "--storage", database, "--json").data] == ["measurements"]
        blocks = nas(*given, "--block", "conv_stem", "--json").data
        assert [each["kind"] for each in blocks] == ["block"]
        refused = nas(*given, "--block", "mbconv", code=2).error
        assert "unknown block kind" in refused
        elsewhere = nas("measure", NETWORK, "--target", "h100", "--ray", "local", code=2).error
        assert "no node there has h100" in elsewhere
    finally:
        ray.shutdown()
