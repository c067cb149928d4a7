"""Rounding of channel counts."""

from __future__ import annotations


def make_divisible(width: float, divisor: int = 8) -> int:
    """Return the nearest multiple of ``divisor`` (at least one), one more where that loses over a tenth.

    MobileNetV2 (Sandler et al. 2018), as its reference implementation rounds.
    """
    rounded = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * width else rounded
