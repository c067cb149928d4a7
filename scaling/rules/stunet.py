"""STU-Net: depth and width multiplied by the same number, the image as it is (Huang et al. 2023).

The authors' large and huge networks are two and three times as deep and as wide as the base; MACs grow by the cube.
"""

from __future__ import annotations

from scaling.factors import Factors
from scaling.quantise import FAST
from scaling.rule import RULES, CompoundRule


def joint(times: float) -> Factors:
    """Return the factors of a network that is ``times`` as deep and as wide; group widths grow with the width."""
    return Factors(times, times, 1.0, times)


RULES.register("stunet")(CompoundRule("stunet", lambda factor: joint(factor ** (1 / 3)), FAST))
