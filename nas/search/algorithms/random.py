"""Random search: the baseline that every other algorithm has to beat."""

from __future__ import annotations

from pydantic import Field

from nas.search.algorithm import AlgorithmSettings, SearchAlgorithm, algorithms
from nas.search.objectives import Values
from search_spaces.space import Genes


class RandomSettings(AlgorithmSettings):
    """Settings of random search."""

    batch_size: int = Field(10, ge=1, description="rows per ask")


@algorithms.register("random")
class RandomSearch(SearchAlgorithm):
    """Distinct rows drawn by ``SearchSpace.sample``."""

    Settings = RandomSettings
    settings: RandomSettings

    def ask(self) -> Genes:
        """Return the next rows."""
        return self.ask_random(self.settings.batch_size)

    def learn(self, genes: Genes, values: Values) -> None:
        """Learn nothing."""
