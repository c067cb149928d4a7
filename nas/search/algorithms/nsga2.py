"""NSGA-II of pymoo over gene matrices (Deb et al., 2002)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.objectives import Objective, Values
from nas.search.population import sample_spread
from search_spaces.space import Genes, SearchSpace

# Where bounds let hardly any row through, evolution towards them starts after so many times ``num_initial``.
_MAX_INITIAL_FACTOR = 10


class Nsga2Settings(AlgorithmSettings):
    """Settings of NSGA-II; the defaults suit 50 to 400 evaluations."""

    num_initial: int = Field(16, ge=2, description="evaluated rows before the first children")
    population_size: int = Field(10, ge=2, description="parents kept at least")
    max_population_size: int = Field(40, ge=2, description="parents kept at most, where the front is that large")
    num_offspring: int = Field(8, ge=1, description="rows per ask")
    crossover_probability: float = Field(0.5, ge=0, le=1, description="else the child comes from one parent")

    @model_validator(mode="after")
    def _ordered(self) -> Nsga2Settings:
        if self.max_population_size < self.population_size:
            raise ValueError(
                f"max_population_size {self.max_population_size} is below population_size {self.population_size}"
            )
        return self


@algorithms.register("nsga2")
class Nsga2(SearchAlgorithm):
    """NSGA-II for few evaluations: every child is new, canonical, and changed in one knob after crossover.

    The first rows run from the smallest network to the largest, until ``num_initial`` are evaluated. The population is
    as large as the front of parents and children (within its two sizes), so that a small budget is not spent on
    dominated parents and a grown front is not thinned out. Where parents have no new child left, chance fills the ask.
    """

    Settings: ClassVar[type[AlgorithmSettings]] = Nsga2Settings
    settings: Nsga2Settings
    kind: ClassVar[str] = "nsga2"

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], settings: Nsga2Settings, seed: int) -> None:
        super().__init__(space, objectives, settings, seed)
        from nas.search.problem import Evolution

        self._initial: list[tuple[Genes, Values]] = []
        self._evolution = Evolution(
            space,
            objectives,
            self.seen,
            seed=int(self.rng.integers(2**31)),
            population_sizes=(settings.population_size, settings.max_population_size),
            crossover_probability=settings.crossover_probability,
            kind=self.kind,
        )

    def ask(self) -> Genes:
        """Return the next rows: spread ones until the first population is whole, then children."""
        if self._evolution.started:
            num = self.settings.num_offspring
            rows = self._evolution.children(num)
        else:
            num = max(1, self.settings.num_initial - self._num_evaluated())
            rows = sample_spread(self.space, self.rng, num)
            rows = rows[self.seen.new(rows)]
        self.seen.add(rows)
        if len(rows) == num:
            return rows
        return np.concatenate([rows, self.ask_random(num - len(rows))])

    def learn(self, genes: Genes, values: Values) -> None:
        """Choose survivors by constrained domination, then rank and crowding."""
        if self._evolution.started:
            self._evolution.survive(genes, values)
            return
        self._initial.append((genes, values))
        num_told = sum(len(rows) for rows, _ in self._initial)
        if (
            self._num_evaluated() >= self.settings.num_initial
            or num_told >= _MAX_INITIAL_FACTOR * self.settings.num_initial
        ):
            self._evolution.survive(*(np.concatenate(arrays) for arrays in zip(*self._initial, strict=True)))
            self._initial.clear()

    def _num_evaluated(self) -> int:
        return sum(int(np.isfinite(values).all(axis=1).sum()) for _, values in self._initial)
