"""Scaling factors and the laws of growth that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from search_spaces.errors import UsageError

LARGEST_FACTOR = 10_000.0


class Factors(NamedTuple):
    """What each dimension of a network is multiplied by; 1 leaves the dimension as it is.

    Attributes:
        depth: blocks of a stage.
        width: channels and attention heads.
        resolution: each side of the input image.
        group: channels of one group of a grouped convolution.
    """

    depth: float = 1.0
    width: float = 1.0
    resolution: float = 1.0
    group: float = 1.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How many times larger a network became, or is predicted to become."""

    macs: float
    params: float
    activations: float


def predicted_growth(factors: Factors) -> Growth:
    """Return the growth that the laws of convolutional networks give for ``factors``, before any rounding.

    MACs grow with d w^2 r^2, parameters with d w^2 and activations with d w r^2 (Dollar, Singh, Girshick 2021, section
    3). Stem, head and attention over many tokens follow other laws, so what is achieved differs.
    """
    depth, width, resolution, _ = factors
    return Growth(
        macs=depth * width**2 * resolution**2,
        params=depth * width**2,
        activations=depth * width * resolution**2,
    )


def check_factor(factor: float) -> None:
    """Raise UsageError unless ``factor``, the growth of MACs that is asked for, is one that rules take."""
    if not 1 / LARGEST_FACTOR <= factor <= LARGEST_FACTOR:
        raise UsageError(
            f"a scaling factor of {factor:g} is not possible: give a number from {1 / LARGEST_FACTOR:g} to "
            f"{LARGEST_FACTOR:g}, as 4 to grow or 0.5 to shrink"
        )
