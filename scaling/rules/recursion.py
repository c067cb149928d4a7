"""SReT's recursion: the weights of a block are used several times, one after another (Shen et al. 2022).

MACs and activations grow with the number of passes; each pass has a small MLP of its own, else parameters stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scaling.factors import Factors, Growth, check_factor
from scaling.rule import RULES, does_not_fit
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Block, Blueprint, Stage


@dataclass(frozen=True, slots=True)
class Recursion:
    """The rule: it needs blocks that have ``loops``."""

    name: str = "recursion"

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the blueprint with ``loops`` multiplied, at least 1; UsageError where no block has them."""
        check_factor(factor)
        if not any("loops" in dict(block.settings) for stage in blueprint.stages for block in stage.blocks):
            raise does_not_fit(self.name, blueprint, "none of its blocks is used in loops: give a network of sret")
        stages = tuple(
            Stage(stage.name, stage.width, tuple(_looped(block, factor) for block in stage.blocks))
            for stage in blueprint.stages
        )
        scaled = replace(blueprint, stages=stages)
        return ScaledBlueprint(scaled, self.name, factor, Factors(), Growth(factor, 1.0, factor), (("loops", factor),))


def _looped(block: Block, factor: float) -> Block:
    loops = dict(block.settings).get("loops")
    return block if loops is None else block.replace(loops=max(1, round(int(loops) * factor)))


RULES.register("recursion")(Recursion())
