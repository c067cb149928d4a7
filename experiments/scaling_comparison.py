"""A published network scaled by several rules, for the page and the API."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from experiments.report.data import ScalingRow
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError


@lru_cache(maxsize=256)
def compare_rules(
    network: str, rules: Sequence[str], factors: Sequence[float]
) -> tuple[tuple[ScalingRow, ...], dict[str, str]]:
    """Return a row for each rule and factor, and why a rule was refused by its name.

    Raises:
        UsageError: the network or a rule is unknown.
    """
    from scaling.rule import scaling_rule
    from search_spaces.networks import network as published

    base = published(network)
    found, refused = [], {}
    for rule in rules:
        made = scaling_rule(rule)
        for factor in factors:
            try:
                found.append(_row(network, base, made.name, factor))
            except UsageError as error:
                refused[rule] = str(error)
    return tuple(found), refused


def _row(name: str, base: Blueprint, rule: str, factor: float) -> ScalingRow:
    from scaling.rule import scaling_rule
    from scaling.scaled import achieved
    from scaling.solve import scale
    from search_spaces.block import cost

    scaled = scale(scaling_rule(rule), base, factor)
    counted = scaled.cost(cost)
    return ScalingRow(
        base=name,
        rule=rule,
        factor_asked=factor,
        factor_achieved=achieved(cost(base), counted).macs,
        resolution=scaled.blueprint.resolution,
        depths=tuple(stage.depth for stage in scaled.blueprint.stages),
        widths=tuple(stage.width for stage in scaled.blueprint.stages),
        macs=counted.macs,
        params=counted.params,
        activations=counted.activations,
        predicted_growth={key: getattr(scaled.predicted, key) for key in ("macs", "params", "activations")},
    )
