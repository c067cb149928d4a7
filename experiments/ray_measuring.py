"""Timing on a node of a Ray cluster that has the device: one timing at a time on it, the rows come back here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.ray_cluster import connected
from experiments.subjects import SubjectKind
from predictors.target import Target
from search_spaces.blueprint import Blueprint
from search_spaces.errors import NasError, UsageError

PREFIX = "device:"
"""Of the resource of a node that has a device, as ``ray start --resources '{"device:orin": 1}'``."""


def time_on_ray(
    address: str,
    networks: Sequence[tuple[str, Blueprint]],
    part: SubjectKind,
    kind: str | None,
    where: Target,
    budget_s: float,
    num_threads: int | None,
) -> list[dict[str, Any]]:
    """Return rows of measurements as ``experiments.measuring.row_of``, with the node among their versions.

    A task for each network asks for one ``device:NAME`` where a node of the cluster has that resource, else for one
    GPU, or for all the cores of a node: so no other task of Ray runs beside it on the device.

    Args:
        address: of the cluster; ``local`` starts one on this machine.
        networks: (name, blueprint).
        part: the networks themselves, or their distinct blocks or kernels.
        kind: of blocks: of this kind alone.
        where: the target; the facts of a CPU are found on the node.
        budget_s: seconds of timed runs each.
        num_threads: of a CPU.

    Raises:
        UsageError: no node has the device, or the target can't run a network.
        NasError: a node failed.
    """
    target = where.name if where.device.kind == "cpu" else where.model_dump_json()
    with connected(address) as ray:
        task = ray.remote(**device_resources(ray.nodes(), where, address))(time_here)
        references = [
            task.remote(name, blueprint.to_dict(), part, kind, target, budget_s, num_threads)
            for name, blueprint in networks
        ]
        try:
            return [row for rows in ray.get(references) for row in rows]
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, NasError):
                raise error.cause from None
            raise NasError(f"a timing on Ray failed: {error.cause!r}: mend that and start again") from None
        except ray.exceptions.RayError as error:
            raise NasError(f"a timing on Ray failed: {' '.join(str(error).split())[:200]}: start again") from None


def device_resources(nodes: Sequence[dict[str, Any]], where: Target, address: str) -> dict[str, Any]:
    """Return what a task asks for so that it is alone on the device.

    Raises:
        UsageError: no node that is alive has the device.
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    name = f"{PREFIX}{where.device.name}"
    named = [resources for resources in alive if name in resources]
    if named:
        # Ray does not know every GPU as one: a board's is there by its name alone.
        return {"resources": {name: 1}, "num_gpus": int(all(resources.get("GPU", 0) >= 1 for resources in named))}
    if where.device.kind == "cpu":
        return {"num_cpus": int(max(resources.get("CPU", 0) for resources in alive))}
    if any(resources.get("GPU", 0) >= 1 for resources in alive):
        return {"num_gpus": 1}
    raise UsageError(
        f"--ray got {address!r}: no node there has {where.device.name}: start one on it with "
        f"ray start --resources '{{\"{name}\": 1}}'"
    )


def time_here(
    name: str,
    blueprint: dict[str, Any],
    part: SubjectKind,
    kind: str | None,
    target: str,
    budget_s: float,
    num_threads: int | None,
) -> list[dict[str, Any]]:
    """Time a network, or its blocks or kernels, on the node that this runs on; what a task does."""
    import socket

    from experiments.measuring import row_of, time_subject
    from experiments.subjects import subjects_of
    from predictors.target import target as find
    from predictors.timing import TimingPlan
    from search_spaces.blueprint import blueprint_from_dict

    where = Target.model_validate_json(target) if target.startswith("{") else find(target)
    plan, rows = TimingPlan(budget_s=budget_s), []
    for subject in subjects_of(name, blueprint_from_dict(blueprint), part, kind):
        row = row_of(subject, where, time_subject(subject, where, plan, num_threads))
        rows.append({**row, "versions": {**row["versions"], "node": socket.gethostname()}})
    return rows
