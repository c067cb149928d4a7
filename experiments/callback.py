"""Callbacks: callables that are told of every finished piece of a study's work, after it is committed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictors.measurement import Measurement
from search_spaces.registry import Registry

if TYPE_CHECKING:
    from experiments.store.study import Study
    from experiments.talk import Talk
    from search_spaces.architecture import Architecture


RUN = "run"


@dataclass(frozen=True)
class Finished:
    """One finished piece of work.

    Attributes:
        study: name of the study.
        kind: ``training``, ``evaluation``, ``measurement``, ``export``, ``stage``, ...; ``run`` when the run ends.
        number: how many of this kind this run has finished, from 1.
        key: of the work.
        payload: what it gave, as it is stored.
        measurements: what it measured.
    """

    study: str
    kind: str
    number: int
    key: str
    payload: Mapping[str, Any]
    measurements: Sequence[Measurement]

    def scalars(self) -> dict[str, float]:
        """Return every finite number by a dotted name; measurements as ``quantity`` or ``quantity@target``."""
        found = dict(_numbers(self.payload, self.kind))
        for each in self.measurements:
            name = f"{each.quantity}@{each.target}" if each.target else each.quantity
            found[f"{self.kind}/{name}"] = each.value
        return {name: value for name, value in found.items() if math.isfinite(value)}

    @property
    def step(self) -> int:
        """The optimiser step of a training point, else ``number``."""
        step = self.payload.get("step")
        return step if isinstance(step, int) else self.number


Callback = Callable[[Finished], None]


@dataclass(frozen=True)
class Run:
    """What a logger is made for: the study's name, folder and settings."""

    name: str
    folder: Path
    settings: Mapping[str, Any]


CALLBACKS: Registry[Callable[[Run], Callback]] = Registry("callback", "experiments.callbacks")


def make_callbacks(names: Iterable[str], run: Run, talk: Talk) -> list[Callback]:
    """Return the loggers of these names for a run; one that can't be made is warned of and left out.

    Raises:
        UsageError: a name is unknown.
    """
    made = []
    for name, maker in [(name, CALLBACKS.get(name)) for name in names]:
        try:
            made.append(maker(run))
        except Exception as error:
            talk.warn(f"callback {name!r} is not called for study {run.name!r}: {error}")
    return made


@contextmanager
def telling(study: Study, callbacks: Sequence[Callback], talk: Talk) -> Iterator[None]:
    """Have ``study`` tell ``callbacks`` of whatever it finishes in the body; one that raises is warned of and left out.

    However the body ends, the last that they are told of is the ``run`` itself: to close what they opened.
    """
    if not callbacks:
        yield
        return
    commit, listening, numbers = study.finish, list(callbacks), dict[str, int]()

    def told(finished: Finished) -> None:
        for callback in tuple(listening):
            try:
                callback(finished)
            except Exception as error:
                # Hours of training are worth more than a logger's connection.
                listening.remove(callback)
                talk.warn(f"a callback failed and is called no more ({type(error).__name__}: {error})")

    def finish(
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        measurements: Sequence[Measurement] = (),
        architecture: Architecture | None = None,
    ) -> None:
        commit(kind, key, payload, measurements, architecture)
        numbers[kind] = numbers.get(kind, 0) + 1
        told(Finished(study.name, kind, numbers[kind], key, payload, measurements))

    study.finish = finish  # type: ignore[method-assign]
    try:
        yield
    finally:
        study.finish = commit  # type: ignore[method-assign]
        told(Finished(study.name, RUN, 1, study.name, {}, ()))


def _numbers(content: Mapping[str, Any], path: str) -> Iterable[tuple[str, float]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{path}/{name}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{path}/{name}", float(value)
