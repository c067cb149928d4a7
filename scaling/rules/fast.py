"""Fast compound scaling: mostly width, so that activations grow slowly (Dollar, Singh, Girshick 2021).

Multiplying MACs by s, with exponents e_d + e_w + e_r = 1: depth grows by s^e_d, width by s^(e_w / 2), resolution by
s^(e_r / 2). The family of one parameter alpha has e_w = alpha and e_d = e_r = (1 - alpha) / 2; the authors choose
alpha = 0.8 (``dWr``). A group width that does not grow with the width breaks the law of MACs for grouped convolutions.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from scaling.factors import Factors, check_factor
from scaling.quantise import FAST
from scaling.rule import RULE_MAKERS, RULES, CompoundRule
from search_spaces.errors import UsageError

PLAIN_KINDS = ("d", "w", "r", "dw", "dr", "wr", "dwr")
ALPHAS = {"dWr": 0.8, "dW2r": 0.5}
WEIGHT = re.compile(r"([dwgr])(\d+(?:\.\d+)?)")


class Exponents(NamedTuple):
    """Shares of the growth of MACs: depth, width and resolution sum to 1; the group's equals the width's, or is 0."""

    depth: float
    width: float
    resolution: float
    group: float


def fast_exponents(alpha: float = 0.8) -> Exponents:
    """Return the exponents of the fast family: 1 scales width alone, 1/3 all alike, 0 depth and resolution.

    Raises:
        UsageError: ``alpha`` is outside 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise UsageError(f"alpha {alpha:g} is not possible: give a number from 0 to 1 (the published choice is 0.8)")
    rest = (1 - alpha) / 2
    return Exponents(rest, alpha, rest, alpha)


def exponents(kind: str) -> Exponents:
    """Return the exponents of a kind of scaling.

    ``dWr`` is the fast rule, ``dW2r`` that of alpha 0.5. ``d``, ``w``, ``r`` and their combinations share the growth
    evenly and leave group widths as they are. ``d1_w8_g8_r1`` gives weights, relative to the sum of those of d, w and
    r.

    Raises:
        UsageError: the kind can't be read.
    """
    if kind in ALPHAS:
        return fast_exponents(ALPHAS[kind])
    if kind in PLAIN_KINDS:
        return _from_weights(dict.fromkeys(kind, 1.0))
    if has_weights(kind):
        return _from_weights(_weights(kind))
    raise _unreadable(kind)


def has_weights(kind: str) -> bool:
    """Return whether ``kind`` is written as weights, as ``d1_w8_g8_r1``."""
    return all(WEIGHT.fullmatch(part) for part in kind.split("_"))


def _weights(kind: str) -> dict[str, float]:
    pairs = WEIGHT.findall(kind)
    weights = {letter: float(value) for letter, value in pairs}
    if len(weights) < len(pairs) or not any(weights.get(letter) for letter in "dwr"):
        raise _unreadable(kind)
    return weights


def _from_weights(weights: dict[str, float]) -> Exponents:
    total = sum(weights.get(letter, 0.0) for letter in "dwr")
    return Exponents(*(weights.get(letter, 0.0) / total for letter in "dwrg"))


def _unreadable(kind: str) -> UsageError:
    return UsageError(
        f"unknown kind of fast scaling {kind!r}: allowed: {', '.join((*PLAIN_KINDS, *ALPHAS))}, or weights of d, w, g "
        "and r, each once and one of d, w, r above 0, as d1_w8_g8_r1"
    )


def factors_of(shares: Exponents, factor: float) -> Factors:
    """Return what each dimension is multiplied by when MACs grow ``factor`` times."""
    check_factor(factor)
    root = math.sqrt(factor)
    factors = Factors(factor**shares.depth, root**shares.width, root**shares.resolution, root**shares.group)
    depth, width, resolution, _ = factors
    assert math.isclose(depth * width**2 * resolution**2, factor, rel_tol=0.01)
    return factors


def scaling_factors(kind: str, factor: float) -> Factors:
    """Return the factors (depth, width, resolution, group) of a kind of scaling, as ``exponents`` reads it."""
    return factors_of(exponents(kind), factor)


def fast_rule(kind: str = "dWr", name: str | None = None) -> CompoundRule:
    """Return the rule of a kind of scaling, as ``exponents`` reads it, named after it."""
    shares = exponents(kind)
    return CompoundRule(name or kind, lambda factor: factors_of(shares, factor), FAST)


def rule_of_alpha(text: str) -> CompoundRule:
    """Return the fast rule of another alpha, written ``fast:0.5``; UsageError where it is not a number from 0 to 1."""
    try:
        shares = fast_exponents(float(text))
    except ValueError:
        raise UsageError(f"rule 'fast:{text}': alpha {text!r} is no number: give one from 0 to 1") from None
    return CompoundRule(f"fast:{text}", lambda factor: factors_of(shares, factor), FAST)


RULES.register("fast")(fast_rule(name="fast"))
RULE_MAKERS.register("fast")(rule_of_alpha)
for _kind in (*PLAIN_KINDS, *ALPHAS):
    RULES.register(_kind)(fast_rule(_kind))
