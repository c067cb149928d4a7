"""What ``nas tune`` varies: settings of the training by key, each over a range or a few choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.config import StudyConfig, make_config, parse_override, place
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

ALLOWED = (
    "write it as training.learning_rate=0.001..0.03, training.networks_per_step=1..4 or training.optimiser=adamw,sgd"
)
LOG_FROM_RATIO = 10


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; even on a logarithmic axis where they differ tenfold or more."""

    low: int | float
    high: int | float

    def distribution(self) -> BaseDistribution:
        """Return it as Optuna's."""
        from optuna.distributions import FloatDistribution, IntDistribution

        log = self.low > 0 and self.high / self.low >= LOG_FROM_RATIO
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=log)
        return FloatDistribution(self.low, self.high, log=log)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that are allowed if all are."""
        return (self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"low": self.low, "high": self.high}


@dataclass(frozen=True)
class Choices:
    """A few values: numbers, texts or booleans."""

    values: tuple[int | float | str | bool, ...]

    def distribution(self) -> BaseDistribution:
        """Return it as Optuna's."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that are allowed if all are."""
        return self.values

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"choices": list(self.values)}


Ranges = Mapping[str, Range | Choices]


def read_ranges(texts: Sequence[str], config: StudyConfig) -> Ranges:
    """Return what is varied: ``KEY=LOW..HIGH`` or ``KEY=A,B,...``; by default learning rate and weight decay.

    Raises:
        UsageError: a text is not of that form, its key is given twice or is none of the training, or the configuration
            does not allow one of its values.
    """
    found: dict[str, Range | Choices] = {}
    for text in texts:
        key, values = _read(text)
        if key in found:
            raise UsageError(f"--tune got {key} twice: give it once")
        found[key] = values
    found = found or _default(config)
    for key, values in found.items():
        for value in values.ends:
            with_values(config, {key: value})
    return found


def with_values(config: StudyConfig, values: Mapping[str, Any]) -> StudyConfig:
    """Return ``config`` with other values at some keys.

    Raises:
        UsageError: a key is unknown or a value is not allowed.
    """
    content = config.model_dump(mode="json")
    for key, value in values.items():
        place(content, key.split("."), value, "--tune")
    shown = ", ".join(f"{key} = {value!r}" for key, value in values.items())
    return make_config(content, f"--tune with {shown}")


def _default(config: StudyConfig) -> dict[str, Range | Choices]:
    """Return a decade around the learning rate on either side, and weight decays of 0.001 to 0.3."""
    rate = config.training.learning_rate
    return {
        "training.learning_rate": Range(rate / 10, rate * 10),
        "training.weight_decay": Range(1e-3, 0.3),
    }


def _read(text: str) -> tuple[str, Range | Choices]:
    key, equals, given = text.partition("=")
    key = key.strip()
    parents, _, _ = key.rpartition(".")
    if not equals or parents not in ("training", "training.sampler_settings", "training.loss_settings"):
        raise UsageError(f"--tune got {text!r}: it varies settings of the training: {ALLOWED}")
    low, dots, high = given.partition("..")
    if not dots:
        values = tuple(parse_override(f"value={part.strip()}")[1] for part in given.split(",") if part.strip())
        if len(set(values)) < 2:
            raise UsageError(f"--tune got {text!r}: give two different choices or more: {ALLOWED}")
        return key, Choices(values)
    ends = [parse_override(f"value={part.strip()}")[1] for part in (low, high)]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends) or ends[0] >= ends[1]:
        raise UsageError(f"--tune got {text!r}: a range goes from a number to a larger one: {ALLOWED}")
    return key, Range(*ends)
