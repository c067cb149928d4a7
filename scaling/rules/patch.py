"""Patch size: more, smaller patches of the same image (Beyer et al. 2023; Wang et al. 2025, on patchification).

Tokens and, but for attention's quadratic part, MACs grow by the square of the ratio of sides; parameters stay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scaling.factors import Factors, Growth, check_factor
from scaling.rule import RULES, does_not_fit
from scaling.scaled import ScaledBlueprint
from scaling.sides import follow_windows, side_multiples
from search_spaces.blueprint import Block, Blueprint, Stage

EVEN = ("conv_patch_embed", "cross_scale_embed")
STEMS = ("patch_embed", "patch_norm_stem", "crossvit_stem", *EVEN)


@dataclass(frozen=True, slots=True)
class PatchSize:
    """The rule: it needs a stem that cuts the image into patches."""

    name: str = "patch"

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the blueprint at the patch nearest to side / sqrt(factor) that fits its maps.

        Raises:
            UsageError: ``factor`` is refused, or the stem cuts no patches.
        """
        check_factor(factor)
        stem = blueprint.stem.blocks[0]
        if stem.kind not in STEMS or stem.get("convolutional", False):
            raise does_not_fit(self.name, blueprint, f"its stem, {stem.kind}, cuts no patches: give a transformer")
        patch = _nearest(blueprint, stem, factor)
        scaled = with_patch(blueprint, patch)
        growth = (int(stem.get("stride", 1)) / patch) ** 2
        return ScaledBlueprint(
            scaled, self.name, factor, Factors(), Growth(growth, 1.0, growth), (("patch", float(patch)),)
        )


def _nearest(blueprint: Blueprint, stem: Block, factor: float) -> int:
    side = int(stem.get("stride", 1))
    if factor == 1:
        return side
    per_patch = [multiple // side for multiple in side_multiples(blueprint, side)]
    fitting = [
        patch
        for patch in range(1, min(blueprint.resolution) + 1)
        if all(length % (patch * number) == 0 for length, number in zip(blueprint.resolution, per_patch, strict=True))
        and not (stem.kind in EVEN and patch % 2)
    ]
    return min((side, *fitting), key=lambda patch: (abs(math.log(patch / side * math.sqrt(factor))), patch))


def with_patch(blueprint: Blueprint, patch: int) -> Blueprint:
    """Return ``blueprint`` with patches of ``patch`` pixels a side, windows in proportion to the maps."""
    stem = blueprint.stem.blocks[0]
    side = int(stem.get("stride", 1))
    if patch == side:
        return blueprint
    changes = {"stride": patch}
    if "large_patch" in dict(stem.settings):
        changes["large_patch"] = max(1, round(int(stem.get("large_patch", 1)) * patch / side))
    cut = Stage(blueprint.stem.name, blueprint.stem.width, (stem.replace(**changes),))
    return follow_windows(blueprint, replace(blueprint, stem=cut))


RULES.register("patch")(PatchSize())
