"""Many things timed in turn, in short visits: the protocol for a machine that is not quiet.

Other work, interrupts and the clock's ups and downs only ever make a run longer, and they last: a network that is timed
once, for a second, meets one weather of the machine, and its neighbour another. So every network is visited once a
round, in a new order each round, for a few runs; and its latency is a low quantile over all its runs of all rounds,
which is the time on a machine that does nothing else as soon as a tenth of the runs had that luck. On a quiet machine
the low quantile and the median are a few percent apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.cores import pinned_cores
from predictors.machine_load import load_snapshot, other_load
from predictors.runtime import pinned_threads
from predictors.stopwatch import Stopwatch, wall_stopwatch

QUIET_QUANTILE = 0.1


@dataclass(frozen=True)
class Rounds:
    """Single runs in milliseconds, ``runs_ms`` (functions, rounds, runs of a visit), and what else ran meanwhile."""

    runs_ms: NDArray[np.float64]
    other_work: str = ""

    @property
    def latency_ms(self) -> NDArray[np.float64]:
        """The low quantile of each function's runs, (functions,)."""
        return self._quantile(QUIET_QUANTILE)

    @property
    def median_ms(self) -> NDArray[np.float64]:
        """The median of each function's runs, (functions,)."""
        return self._quantile(0.5)

    @property
    def spread_ms(self) -> NDArray[np.float64]:
        """Half the interquartile range, over rounds, of the fastest run of a visit, (functions,)."""
        low, high = np.quantile(self.runs_ms.min(axis=2), (0.25, 0.75), axis=1)
        spread: NDArray[np.float64] = (high - low) / 2
        return spread

    def _quantile(self, quantile: float) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.quantile(self.runs_ms.reshape(len(self.runs_ms), -1), quantile, axis=1)
        return found


def time_in_rounds(
    functions: Sequence[Callable[[], object]],
    *,
    num_rounds: int = 20,
    num_runs: int = 5,
    seed: int = 0,
    num_threads: int | None = None,
    stopwatch: Stopwatch | None = None,
) -> Rounds:
    """Return the times of each of ``functions``.

    Args:
        functions: what is timed; each has run before, so that nothing is compiled or allocated for the first time.
        num_rounds: visits to each.
        num_runs: timed runs of a visit, after one that brings data back into the caches.
        seed: of the order, a new one each round.
        num_threads: torch threads meanwhile, held on cores; by default those that torch has.
        stopwatch: the wall clock unless given.
    """
    measure = stopwatch or wall_stopwatch()
    rng = np.random.default_rng(seed)
    runs = np.empty((len(functions), num_rounds, num_runs))
    before = load_snapshot()
    with pinned_threads(num_threads) as threads:
        for number in range(num_rounds):
            # Chosen anew each round: the idlest core changes.
            with pinned_cores(threads):
                for index in rng.permutation(len(functions)):
                    functions[index]()
                    runs[index, number] = [measure(functions[index]) for _ in range(num_runs)]
    return Rounds(runs, other_load(before, load_snapshot()))
