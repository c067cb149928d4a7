"""A few networks for many targets: the set that together loses least of the fronts of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas.search.pareto import Points, hypervolume, non_dominated, normalise
from search_spaces.errors import UsageError

# Beyond the worst value of a front, in parts of its range: its ends count too.
MARGIN = 0.1


@dataclass(frozen=True)
class RobustSet:
    """Networks that serve several targets at once.

    Attributes:
        rows: of the networks, in the order in which they help most.
        lost: by target, the share of its front's hypervolume that the set does not reach.
    """

    rows: tuple[int, ...]
    lost: dict[str, float]

    @property
    def mean_lost(self) -> float:
        """The mean over targets."""
        return float(np.mean(list(self.lost.values())))


def robust_set(points: Mapping[str, Points], num: int) -> RobustSet:
    """Return ``num`` networks whose hypervolume, summed over targets, is the largest that is found.

    The network that adds most is taken, again and again (at least 63 % of the best sum: Nemhauser et al., "An analysis
    of approximations for maximizing submodular set functions", 1978); then single networks are exchanged as long as
    that helps.

    Args:
        points: target -> minimised values (n, m) of the same n networks; NaN is not a candidate for that target.
        num: how many networks; all that help when these are fewer.

    Raises:
        UsageError: ``num`` is below 1, or some target has no network.
    """
    if num < 1:
        raise UsageError(f"asked for a robust set of {num} networks: give at least 1")
    volumes = [_Volume(name, values) for name, values in points.items()]
    candidates = sorted({row for volume in volumes for row in volume.useful})
    chosen: list[int] = []
    while len(chosen) < min(num, len(candidates)):
        chosen.append(_best_addition(volumes, chosen, candidates))
    chosen = _exchanged(volumes, chosen, candidates)
    return RobustSet(tuple(chosen), lost_shares(points, chosen))


def lost_shares(points: Mapping[str, Points], rows: Sequence[int]) -> dict[str, float]:
    """Return, by target, the share of its front's hypervolume that the networks ``rows`` do not reach."""
    return {name: 1.0 - _Volume(name, values).share(rows) for name, values in points.items()}


class _Volume:
    """The hypervolume on one target, as a share of its front's."""

    def __init__(self, name: str, values: Points) -> None:
        self.name = name
        self.useful = np.flatnonzero(non_dominated(values)).tolist()
        if not self.useful:
            raise UsageError(f"no network is known on target {name!r}: a robust set needs one on each")
        front = values[self.useful]
        self._points = normalise(values, front.min(axis=0), front.max(axis=0))
        self._reference = np.full(values.shape[1], 1.0 + MARGIN)
        self._whole = hypervolume(self._points[self.useful], self._reference)

    def share(self, rows: Sequence[int]) -> float:
        return hypervolume(self._points[list(rows)], self._reference) / self._whole


def _total(volumes: Sequence[_Volume], rows: Sequence[int]) -> float:
    return sum(volume.share(rows) for volume in volumes)


def _best_addition(volumes: Sequence[_Volume], chosen: Sequence[int], candidates: Sequence[int]) -> int:
    left = [row for row in candidates if row not in chosen]
    return max(left, key=lambda row: (_total(volumes, [*chosen, row]), -row))


def _exchanged(volumes: Sequence[_Volume], chosen: Sequence[int], candidates: Sequence[int]) -> list[int]:
    """Return ``chosen`` after exchanges of one network that raise the sum, until there is none."""
    best, total = list(chosen), _total(volumes, chosen)
    improved = True
    while improved:
        improved = False
        for place in range(len(best)):
            rest = [*best[:place], *best[place + 1 :]]
            row = _best_addition(volumes, rest, candidates)
            found = _total(volumes, [*rest, row])
            if found > total + 1e-12:
                best[place], total, improved = row, found, True
    return best
