"""What a sweep runs: one configuration for each combination of values, named after them and checked first."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config import STUDY_NAME, StudyConfig, make_config, parse_override, place, read_toml
from search_spaces.errors import UsageError

SEED = "seed"
ALLOWED = (
    "write it as seed=0,1,2 or training.sampler=sorted,uniform, lists as "
    """'latency.targets=["t4:fp16:b1"],["h100:bf16:b1"]', settings that change together as """
    """'search={algorithm="nsga2"},{algorithm="ehvi",settings={num_initial=10}}'"""
)
Varied = Mapping[str, Sequence[Any]]
"""Values by the path of their setting."""


@dataclass(frozen=True)
class Combination:
    """One study of a sweep.

    Attributes:
        values: by the path of the setting; a table stands for several settings below its path.
        config: of the study, with these values.
    """

    values: Mapping[str, Any]
    config: StudyConfig

    @property
    def strategy(self) -> dict[str, Any]:
        """The values but the seed, as a table shows them."""
        return {key: value_text(value) for key, value in self.values.items() if key != SEED}


@dataclass(frozen=True)
class SweepPlan:
    """A sweep.

    Attributes:
        base: name of the configuration that is varied.
        combinations: seed by seed, so that a stop leaves whole comparisons.
    """

    base: str
    combinations: tuple[Combination, ...]


def read_sweep(path: Path, texts: Sequence[str], overrides: Sequence[str] = ()) -> SweepPlan:
    """Return the sweep of a study's TOML file over ``KEY=A,B,...`` of every text.

    Raises:
        UsageError: the file or a text can't be read, a setting is unknown or can't take a value, or two combinations
            are the same study or would have the same name.
    """
    content = read_toml(path, overrides)
    base = make_config(content, str(path)).name
    varied = read_varied(texts)
    combinations = [_combination(content, base, varied, values) for values in _product(varied)]
    _require_distinct(combinations)
    return SweepPlan(base, tuple(combinations))


def read_varied(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return what is varied; raises UsageError as ``read_sweep``."""
    found: dict[str, list[Any]] = {}
    for text in texts:
        key, equals, given = text.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            raise UsageError(f"--vary got {text!r}: {ALLOWED}")
        if key == "name":
            raise UsageError(
                f"--vary got {text!r}: a sweep names its studies itself: give the first part as --set name="
            )
        if key in found:
            raise UsageError(f"--vary got {key} twice: give all its values at once")
        found[key] = _values(given)
        if len(found[key]) < 2:
            raise UsageError(f"--vary got {text!r}: give two values or more: {ALLOWED}")
        twice = [value for number, value in enumerate(found[key]) if value in found[key][:number]]
        if twice:
            raise UsageError(f"--vary got {text!r}: {twice[0]!r} is there twice: the same study would run twice")
    if not found:
        raise UsageError(f"nas sweep needs --vary: {ALLOWED}")
    return found


def _values(given: str) -> list[Any]:
    """Return the values of ``A,B,...``: of TOML, or else texts."""
    _, values = parse_override(f"value=[{given}]")
    if isinstance(values, list):
        return values
    return [parse_override(f"value={part.strip()}")[1] for part in given.split(",") if part.strip()]


def _product(varied: Varied) -> Iterator[dict[str, Any]]:
    """Yield the combinations, the seed changing last."""
    order = sorted(varied, key=lambda key: key != SEED)
    for chosen in itertools.product(*(varied[key] for key in order)):
        values = dict(zip(order, chosen, strict=True))
        yield {key: values[key] for key in (*(key for key in varied if key != SEED), SEED) if key in values}


def _combination(content: dict[str, Any], base: str, varied: Varied, values: Mapping[str, Any]) -> Combination:
    name = _name(base, varied, values)
    shown = ", ".join(f"{key} = {value!r}" for key, value in values.items())
    changed = deepcopy(content)
    for key, value in values.items():
        for path, leaf in _leaves(key.split("."), value):
            place(changed, path, leaf, f"--vary with {shown}")
    return Combination(values, make_config({**changed, "name": name}, f"--vary with {shown}"))


def _leaves(path: list[str], value: Any) -> Iterator[tuple[list[str], Any]]:
    """Yield the settings that a value sets: a table sets those that it names and leaves the others."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves([*path, key], inner)


def _name(base: str, varied: Varied, values: Mapping[str, Any]) -> str:
    """Return the name of a study: that of the configuration, and each setting with its value."""
    last = [key.rpartition(".")[2] for key in varied]
    labels = {key: short if last.count(short) == 1 else key for key, short in zip(varied, last, strict=True)}
    name = "-".join([base, *(f"{labels[key]}-{value_text(value)}" for key, value in values.items())])
    if not re.match(STUDY_NAME, name):
        raise UsageError(
            f"a study of the sweep would be named {name!r}, whose {len(name)} characters are too many: give a shorter "
            "first part as --set name="
        )
    return name


def value_text(value: Any) -> str:
    """Return a value as a part of a name: letters, digits and ``._+-``."""
    if isinstance(value, dict):
        text = "+".join(value_text(leaf) for _, leaf in _leaves([], value))
    elif isinstance(value, list):
        text = "+".join(map(value_text, value))
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text) or "none"


def _require_distinct(combinations: Sequence[Combination]) -> None:
    names: dict[str, Combination] = {}
    settings: dict[str, Combination] = {}
    for each in combinations:
        same = settings.setdefault(each.config.model_copy(update={"name": "any"}).model_dump_json(), each)
        if same is not each:
            raise UsageError(
                f"--vary gives the same study twice, {same.config.name!r} and {each.config.name!r}: leave one"
            )
        if names.setdefault(each.config.name, each) is not each:
            raise UsageError(f"--vary gives two studies the name {each.config.name!r}: write their values apart")
