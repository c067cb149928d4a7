"""The manifests are well-formed, name the Ray that is installed, and say nothing that the code does not do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from nas_command import Nas, nas

__all__ = ["nas"]

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


def documents(name: str) -> list[Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with ray: the extra 'ray' is not installed")
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_kuberay_asks_for_gpus_and_the_pinned_ray() -> None:
    cluster, runner = documents("kuberay.yaml")
    assert (cluster["kind"], runner["kind"]) == ("RayCluster", "Deployment")
    pinned = re.search(r"^ray(?:\[[^]]*\])?==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert cluster["spec"]["rayVersion"] == pinned.group(1)
    [group] = cluster["spec"]["workerGroupSpecs"]
    [worker] = group["template"]["spec"]["containers"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    [container] = runner["spec"]["template"]["spec"]["containers"]
    assert container["command"][:2] == ["nas", "runner"]
    assert container["env"][0]["name"] == "NAS_STORAGE"


def test_the_cluster_file_starts_ray_on_the_head_and_on_every_worker() -> None:
    [cluster] = documents("ray-cluster.yaml")
    assert len(cluster["provider"]["worker_ips"]) == cluster["min_workers"] == cluster["max_workers"]
    assert any("ray start --head" in line for line in cluster["head_start_ray_commands"])
    assert any("--address=$RAY_HEAD_IP" in line for line in cluster["worker_start_ray_commands"])


def test_every_option_that_the_page_shows_exists(nas: Nas) -> None:
    text = (DEPLOY / "README.md").read_text()
    commands = [shlex.split(line.partition("#")[0]) for line in text.splitlines() if line.startswith("nas ")]
    assert len(commands) >= 4
    for words in commands:
        verbs = words[1:3] if words[1] == "study" else words[1:2]
        shown = nas(*verbs, "--help").out
        assert [word for word in words if word.startswith("--") and word not in shown] == []
