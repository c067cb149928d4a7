"""The one interface of search algorithms: ask for rows, tell their values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from nas.search.objectives import Objective, Values
from nas.search.population import SeenRows, sample_new
from search_spaces.registry import Registry
from search_spaces.space import Genes, SearchSpace

Evaluate = Callable[[Genes], Values]


class AlgorithmSettings(BaseModel):
    """Settings of a search algorithm; each algorithm has its own subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchAlgorithm(ABC):
    """A search over the rows of one space.

    What is asked is a function of (space, objectives, settings, seed, told values) and of nothing else, so that a
    search that was killed is replayed from its stored values: the same asks, the same front. All chance is ``rng``'s.
    """

    Settings: ClassVar[type[AlgorithmSettings]] = AlgorithmSettings

    def __init__(
        self, space: SearchSpace, objectives: Sequence[Objective], settings: AlgorithmSettings, seed: int
    ) -> None:
        self.space = space
        self.objectives = tuple(objectives)
        self.settings = settings
        self.rng = np.random.default_rng(seed)
        self.seen = SeenRows()
        self.evaluate_cheap: Evaluate | None = None

    def use_cheap(self, evaluate_cheap: Evaluate) -> None:
        """Let the algorithm look up what is exact and costs no evaluation, for any row: NaN in all other columns."""
        self.evaluate_cheap = evaluate_cheap

    @abstractmethod
    def ask(self) -> Genes:
        """Return the next rows to evaluate (n, num_knobs): canonical, and none that was asked before.

        An empty answer means that no row is left.
        """

    def tell(self, genes: Genes, values: Values) -> None:
        """Take the values (n, num_objectives) of rows, in natural units; rows that were not asked for are welcome.

        A NaN in a row that breaks a known bound means "not evaluated for that"; in any other row it means "failed".
        """
        self.seen.add(genes)
        self.learn(genes, values)

    @abstractmethod
    def learn(self, genes: Genes, values: Values) -> None:
        """Change what will be asked, by the values of ``tell``."""

    def ask_random(self, num: int) -> Genes:
        """Return up to ``num`` new rows by chance alone, and remember them."""
        rows = sample_new(self.space, self.rng, self.seen, num)
        self.seen.add(rows)
        return rows


algorithms: Registry[type[SearchAlgorithm]] = Registry("search algorithm", "nas.search.algorithms")
