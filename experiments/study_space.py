"""The search space of a study: the configuration's, for the channels and classes of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space as make_space

if TYPE_CHECKING:
    from experiments.config import StudyConfig


def make_study_space(config: StudyConfig, in_channels: int, num_classes: int) -> SearchSpace:
    """Return the space of the configuration for data of so many channels and classes.

    Raises:
        UsageError: unknown space or setting, a value that is not allowed, or one that the data contradicts.
    """
    settings = dict(config.space)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f"space.name got {name!r}: give the name of a space, as 'ofa_mobilenet'")
    given = {"in_channels": in_channels, "num_classes": num_classes}
    quantised = {} if config.quantisation is None else {"quantisation": config.quantisation}
    for key, value in given.items():
        if settings.get(key, value) != value:
            raise UsageError(f"space.{key} got {settings[key]}: the data has {value}; leave it out")
    return make_space(name, **{**settings, **given}, **quantised)
