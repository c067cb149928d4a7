"""Who evaluates the networks that a search asks for: this process, or workers elsewhere. The rows are written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeAlias

from search_spaces.architecture import Architecture

if TYPE_CHECKING:
    from experiments.context import Context
    from experiments.stages.training import Trained


Evaluation: TypeAlias = tuple[float, float]
"""The metric of the task on validation images, and its spread: plain numbers, which come from any machine."""


class Workers(Protocol):
    """Evaluates networks."""

    def run(
        self, architectures: Sequence[Architecture], begin: Callable[[Architecture], None]
    ) -> Iterator[tuple[Architecture, Evaluation]]:
        """Yield each network with its evaluation, in the order in which they end.

        ``begin`` is called before a network is evaluated, again if its worker is lost. When it raises, no more begin;
        those that are under way are yielded, and then the error goes on.
        """
        ...


Evaluating: TypeAlias = "Callable[[Context, Trained], AbstractContextManager[Workers]]"
"""From a study and its trained weights to the time in which workers are there."""


class _Here:
    def __init__(self, evaluate: Callable[[Architecture], Evaluation]) -> None:
        self._evaluate = evaluate

    def run(
        self, architectures: Sequence[Architecture], begin: Callable[[Architecture], None]
    ) -> Iterator[tuple[Architecture, Evaluation]]:
        for architecture in architectures:
            begin(architecture)
            yield architecture, self._evaluate(architecture)


@contextmanager
def here(context: Context, trained: Trained) -> Iterator[Workers]:
    """Evaluate in this process, one network after another."""
    evaluator = trained.evaluator(context)
    yield _Here(lambda architecture: evaluator.score_and_spread(context.space.blueprint(architecture)))
