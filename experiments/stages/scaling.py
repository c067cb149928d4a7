"""Stage 5: scale the chosen networks by the rules and factors that the configuration names, with achieved cost."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.context import Context
from experiments.stages.fronts import Fronts
from scaling.rule import scaling_rule
from scaling.solve import Solution, solve
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layers import Cost


@dataclass(frozen=True)
class Scaled:
    """One chosen network scaled.

    Attributes:
        base: label of the network.
        rule: name of the rule.
        solution: the blueprint with its asked and achieved growth of MACs.
        cost: of the scaled network, counted.
    """

    base: str
    rule: str
    solution: Solution
    cost: Cost


def scale_networks(context: Context, fronts: Fronts) -> list[Scaled]:
    """Return every chosen network scaled; a factor that a rule can't reach is told and left out."""
    found = []

    def counted(blueprint: Blueprint) -> Cost:
        return cost(blueprint, context.config.counting)

    with context.stage("scaling"):
        for index in fronts.chosen:
            candidate = fronts.candidates[index]
            blueprint = context.space.blueprint(candidate.architecture)
            for name in context.config.scaling.rules:
                for factor in context.config.scaling.factors:
                    try:
                        solution = solve(scaling_rule(name), blueprint, factor, counted)
                    except UsageError as error:
                        context.talk.warn(f"{candidate.label}: {error}")
                        continue
                    found.append(Scaled(candidate.label, name, solution, counted(solution.scaled.blueprint)))
    return found
