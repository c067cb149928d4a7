"""What does not belong to a study: devices, published networks, scaling comparisons."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from experiments.scaling_comparison import compare_rules
from experiments.service.shapes import Health, PublishedLine, ScalingList, TargetLine

router = APIRouter(prefix="/api", tags=["facts"])

Name = Annotated[str, Field(min_length=1, max_length=100)]
Factor = Annotated[float, Field(gt=0, le=64)]
FACTORS = [2.0, 4.0, 8.0]


@router.get("/health")
def health() -> Health:
    """Say that the server is up."""
    from importlib.metadata import version

    return Health(status="ok", version=version("nas"))


@router.get("/targets")
def list_targets() -> list[TargetLine]:
    """List the devices whose facts are known."""
    from predictors.target import DEVICES, list_devices

    found = []
    for name in list_devices():
        entry = DEVICES.get(name)
        # This machine's own CPU has no data sheet: its facts are calibrated where they are needed.
        source = "calibrated on the machine itself" if name == "cpu" else entry.load().source
        found.append(TargetLine(device=name, kind=entry.kind, precisions=tuple(entry.precisions), source=source))
    return found


@router.get("/networks")
def list_networks() -> list[PublishedLine]:
    """List the published networks that can be counted and scaled by name."""
    from search_spaces.networks import networks

    entries = ((name, networks.get(name)) for name in networks.names())
    return [
        PublishedLine(name=name, family=entry.family, resolution=entry.resolution, source=entry.source)
        for name, entry in entries
    ]


@router.get("/rules")
def list_rules() -> list[str]:
    """List the scaling rules by name."""
    from scaling.rule import RULES

    return RULES.names()


@router.get("/scaling")
def show_scaling(
    network: Name,
    rule: Annotated[list[Name], Query(min_length=1, max_length=12)],
    factor: Annotated[list[Factor], Query(max_length=8)] = FACTORS,
) -> ScalingList:
    """Scale a published network by several rules and factors: what each asked for and what it achieved, counted."""
    rows, refused = compare_rules(network, tuple(dict.fromkeys(rule)), tuple(dict.fromkeys(factor)))
    return ScalingList(counting="core", base=network, rows=rows, refused=refused)
