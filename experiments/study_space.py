"""The search space of a study: the configuration's, for the data and the task."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Any

from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space as make_space

if TYPE_CHECKING:
    from experiments.config import StudyConfig
    from nas.data.splits import DataSplits


def data_and_space(config: StudyConfig) -> tuple[DataSplits, SearchSpace]:
    """Return the data of the configuration, on the CPU, and its space for them.

    Raises:
        UsageError: the data can't be used, the task does not fit it, or as ``make_study_space``.
    """
    from nas.data.splits import load_data

    data = load_data(config.data, config.seed, config.task.make())
    space = make_study_space(config, data.in_channels, data.num_outputs, data.image_size)
    if data.task.exact_size:
        for name in ("smallest", "largest"):
            _require_size(space, space.blueprint(getattr(space, name)()).resolution, data)
    return data, space


def make_study_space(
    config: StudyConfig, in_channels: int, num_outputs: int, image_size: tuple[int, int] | None = None
) -> SearchSpace:
    """Return the space of the configuration for data of so many channels, with the head of its task.

    Args:
        config: of the study.
        in_channels: of an image.
        num_outputs: of the head: classes, or what the task says.
        image_size: height and width of an image; a task other than classification keeps its aspect.

    Raises:
        UsageError: unknown space or setting, a value that is not allowed, or one that the data contradicts.
    """
    settings = dict(config.space)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f"space.name got {name!r}: give the name of a space, as 'ofa_mobilenet'")
    given: dict[str, Any] = {"in_channels": in_channels, "num_classes": num_outputs}
    for key, value in given.items():
        if settings.get(key, value) != value:
            raise UsageError(f"space.{key} got {settings[key]}: the data has {value}; leave it out")
    quantised = {} if config.quantisation is None else {"quantisation": config.quantisation}
    head = config.task.make().head()
    if head is not None:
        given["head"] = {**head, **config.task.head}
        if image_size is not None and image_size[0] != image_size[1]:
            given["aspect"] = tuple(side // gcd(*image_size) for side in image_size)
    elif config.task.head:
        raise UsageError(f"task.head got {dict(config.task.head)}: task {config.task.name!r} has the space's own head")
    return make_space(name, **{**given, **settings}, **quantised)


def _require_size(space: SearchSpace, resolution: tuple[int, int], data: DataSplits) -> None:
    if resolution != data.image_size:
        height, width = data.image_size
        raise UsageError(
            f"space {space.name!r} takes images of {resolution[0]} x {resolution[1]} (height x width), the data has "
            f"{height} x {width}, and task {data.task.name!r} can't resize them: set space.resolutions = [{height}]"
        )
