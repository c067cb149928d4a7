"""Multi-objective tree-structured Parzen estimator of Optuna, met here and in tuning alone.

Ozaki et al., "Multiobjective Tree-Structured Parzen Estimator" (JAIR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.objectives import Objective, Values, is_feasible, to_minimised, total_violation
from search_spaces.errors import missing_extra
from search_spaces.space import Genes, SearchSpace

# Worse than any broken bound: a network that failed is no step towards the feasible ones.
_FAILED = 1e9
_ROUNDS = 2


class MotpeSettings(AlgorithmSettings):
    """Settings of MOTPE."""

    num_initial: int = Field(20, ge=1, description="random rows before the first estimate")
    batch_size: int = Field(5, ge=1, description="rows per ask")


@algorithms.register("motpe")
class Motpe(SearchAlgorithm):
    """Every knob is a parameter of its own: categorical, or an integer where it is ordered; inactive ones are dropped.

    Rows that were seen are drawn again a few times, then chance fills the ask. Failed rows break a bound at most.
    """

    Settings = MotpeSettings
    settings: MotpeSettings

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], settings: MotpeSettings, seed: int) -> None:
        super().__init__(space, objectives, settings, seed)
        try:
            import optuna
        except ImportError:
            raise missing_extra("optuna", "tune") from None
        self._optuna = optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=int(self.rng.integers(2**31)), n_startup_trials=settings.num_initial)
        self._study: Any = optuna.create_study(directions=["minimize"] * len(self.objectives), sampler=sampler)
        self._parameters = {
            knob.name: (
                optuna.distributions.IntDistribution(0, len(knob.values) - 1)
                if knob.ordered
                else optuna.distributions.CategoricalDistribution(tuple(range(len(knob.values))))
            )
            for knob in space.knobs
        }

    def ask(self) -> Genes:
        """Return rows that the estimator draws; chance where it draws too many that were seen."""
        rows = np.zeros((0, len(self.space.knobs)), dtype=np.int16)
        for _ in range(_ROUNDS * self.settings.batch_size):
            drawn = self._draw()
            rows = np.concatenate([rows, drawn[self.seen.new(drawn, rows)]])
            if len(rows) == self.settings.batch_size:
                break
        self.seen.add(rows)
        return np.concatenate([rows, self.ask_random(self.settings.batch_size - len(rows))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Enter the rows as trials of the study."""
        feasible = is_feasible(values, self.objectives)
        broken = total_violation(values, self.objectives)
        broken = np.where(feasible, 0.0, np.where(broken > 0.0, np.minimum(broken, _FAILED), _FAILED))
        losses = np.nan_to_num(to_minimised(values, self.objectives), nan=_FAILED, posinf=_FAILED, neginf=-_FAILED)
        for row, loss, violation in zip(genes.tolist(), losses.tolist(), broken.tolist(), strict=True):
            # An inactive knob says nothing: any value stands for it.
            self._study.enqueue_trial({name: max(index, 0) for name, index in zip(self._parameters, row, strict=True)})
            trial = self._study.ask(self._parameters)
            trial.set_constraint("bounds", violation)
            self._study.tell(trial, loss)

    def _draw(self) -> Genes:
        trial = self._study.ask(self._parameters)
        found = [[trial.params[name] for name in self._parameters]]
        # What is drawn here is told as a trial of its own: this one must not count.
        self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return self.space.canonical(np.array(found))
