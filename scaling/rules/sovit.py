"""Shape-optimised vision transformers: the MLP grows fastest, then depth, then width (Alabdulmohsin et al. 2023).

The exponents are those of the optimal shape against training compute, ImageNet 10-shot (section 4). Compute there
includes longer training, so only their proportion is used: the step is chosen so that MACs grow by the factor where two
thirds of them are the MLP's, as at ratio 4. The authors' 150m and 400m networks are not exactly on their own rule
(ratios of 1.31, 1.50 and 1.86 in width, depth and MLP between them).
"""

from __future__ import annotations

from dataclasses import dataclass

from scaling.apply import Shape, scale_blueprint
from scaling.factors import Factors, Growth, check_factor
from scaling.quantise import FAST
from scaling.rule import RULES, does_not_fit
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint

DEPTH, WIDTH, MLP = 0.45, 0.22, 0.60
MLP_SHARE = 2 / 3
MACS = DEPTH + WIDTH + (1 - MLP_SHARE) * WIDTH + MLP_SHARE * MLP
# Of what a layer puts out for a token: queries, keys, values and two projections; four times the width in the MLP.
MLP_ACTIVATIONS = 4 / 9


def shape_factors(factor: float) -> tuple[Factors, float]:
    """Return the factors of depth and width, and that of the MLP, whose law multiplies MACs by ``factor``."""
    step = factor ** (1 / MACS)
    return Factors(depth=step**DEPTH, width=step**WIDTH), step**MLP


@dataclass(frozen=True, slots=True)
class SoViT:
    """The rule: it needs blocks with an MLP whose width is stated (``mlp_width`` or ``mlp_ratio``)."""

    name: str = "sovit"

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the scaled blueprint; UsageError where ``factor`` is refused or no block has such an MLP."""
        check_factor(factor)
        settings = {name for stage in blueprint.stages for block in stage.blocks for name, _ in block.settings}
        if not settings & {"mlp_width", "mlp_ratio"}:
            raise does_not_fit(self.name, blueprint, "it scales MLPs: give a transformer")
        factors, mlp = shape_factors(factor)
        scaled = scale_blueprint(blueprint, factors, FAST, Shape(mlp=None if factor == 1 else mlp))
        activations = factors.depth * ((1 - MLP_ACTIVATIONS) * factors.width + MLP_ACTIVATIONS * mlp)
        return ScaledBlueprint(scaled, self.name, factor, factors, Growth(factor, factor, activations), (("mlp", mlp),))


RULES.register("sovit")(SoViT())
