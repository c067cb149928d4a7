"""Networks of a requested number of MACs: what samplers by complexity draw from (ShiftNAS, AttentiveNAS).

Random networks of a large space all cost about the same. Here every network has a *tilt* of its own: all its knobs lean
by it towards their cheap or their dear choices, which covers the whole range of costs. To meet a request, fresh
networks are drawn with the tilts of known networks of such cost, and counted exactly; one that meets it is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search_spaces.layers import Layer, counting_rule
from search_spaces.population import PopulationTable
from search_spaces.space import Genes, SearchSpace

TOLERANCE = 0.02
"""Relative difference of a network's MACs from the request that is met."""
POOL = 16_384
TRIES = 96
MAX_TILT = 3.0


class MacsGenerator:
    """Draws networks of a space by their MACs.

    Attributes:
        space: the space.
        macs: of the pool of known networks, ascending, (pool,) int64.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self._table = PopulationTable(space, _macs)
        self._order = self._by_cost()
        rng = np.random.default_rng(0)
        tilts = np.concatenate([rng.uniform(-MAX_TILT, MAX_TILT, POOL - 2), [np.inf, -np.inf]])
        genes = self._tilted(rng, tilts)
        macs = self.count(genes)
        order = np.argsort(macs, kind="stable")
        self.macs, self._genes, self._tilts = macs[order], genes[order], tilts[order]

    def count(self, genes: Genes) -> NDArray[np.int64]:
        """Return the exact MACs of canonical ``genes``, (n,)."""
        return np.asarray(self._table(genes)[:, 0])

    def nearest(self, requests: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return, for each of ``requests``, the nearest MACs of a known network."""
        right = self.macs.searchsorted(requests).clip(1, len(self.macs) - 1)
        low, high = self.macs[right - 1], self.macs[right]
        return np.asarray(np.where(requests - low < high - requests, low, high))

    def draw(self, rng: np.random.Generator, requests: NDArray[np.int64]) -> Genes:
        """Return one network a request, (n, num_knobs): within ``TOLERANCE`` of it, or else the nearest that is known.

        Args:
            rng: what chance comes from.
            requests: MACs, (n,); those that ``nearest`` gives are met for certain.
        """
        known = self._known(rng, requests, TRIES)
        fresh = self._tilted(rng, self._tilts[known].ravel())
        error = np.abs(self.count(fresh).reshape(known.shape) - requests[:, None])
        met = error <= TOLERANCE * requests[:, None]
        # The tries are independent: the first that meets the request is a fair draw.
        chosen = fresh[met.argmax(1) + TRIES * np.arange(len(requests))]
        return np.where(met.any(1)[:, None], chosen, self._genes[known[:, 0]])

    def _known(self, rng: np.random.Generator, requests: NDArray[np.int64], num: int) -> NDArray[np.int64]:
        """Return ``num`` places in the pool a request, (n, num), of networks that meet it, or the nearest one."""
        first = self.macs.searchsorted(requests * (1 - TOLERANCE), "left")
        last = self.macs.searchsorted(requests * (1 + TOLERANCE), "right")
        nearest = self.macs.searchsorted(self.nearest(requests.astype(np.float64)))
        first, last = np.where(last > first, first, nearest), np.where(last > first, last, nearest + 1)
        return np.asarray(rng.integers(first[:, None], last[:, None], size=(len(requests), num)))

    def _tilted(self, rng: np.random.Generator, tilts: NDArray[np.float64]) -> Genes:
        """Return one network a tilt; at 0 knobs draw evenly, at infinity they take their dearest choice."""
        num_choices = self.space.num_choices
        even = rng.random((len(tilts), len(num_choices)))
        # u^exp(-t) leans to 1 for t > 0; for t < 0, its mirror image leans to 0 as much.
        leaning = np.where(tilts[:, None] > 0, even, 1 - even) ** np.exp(-np.abs(tilts))[:, None]
        leaning = np.where(tilts[:, None] > 0, leaning, 1 - leaning)
        rank = np.minimum(leaning * num_choices, num_choices - 1).astype(np.int16)
        return self.space.canonical(self._order[np.arange(len(num_choices)), rank])

    def _by_cost(self) -> NDArray[np.int16]:
        """Return each knob's choices from cheap to dear, others at their largest, (num_knobs, most choices)."""
        num_choices = self.space.num_choices
        longest = int(num_choices.max(initial=1))
        order = np.zeros((len(num_choices), longest), dtype=np.int16)
        for column, num in enumerate(num_choices.tolist()):
            genes = np.tile(num_choices - 1, (num, 1))
            genes[:, column] = np.arange(num)
            order[column, :num] = np.argsort(self.count(self.space.canonical(genes)), kind="stable")
        return order


def _macs(layers: tuple[Layer, ...]) -> tuple[int]:
    rule = counting_rule("core")
    return (sum(rule(layer)[0] for layer in layers),)
