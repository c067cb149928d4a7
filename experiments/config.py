"""The configuration of a study: one TOML file, frozen and checked as a whole before anything runs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from experiments.config_checks import check_config
from experiments.config_problems import first_problem
from experiments.plugins import load_plugins
from nas.data.settings import AugmentSettings, DataSettings
from nas.search.objectives import ObjectiveConfig
from nas.tasks import Task, make_task, tasks
from nas.training.settings import FinalSettings, TrainingSettings
from search_spaces.blueprint import Setting
from search_spaces.errors import UsageError
from search_spaces.quantised import QuantisationSettings
from search_spaces.space import is_absent

STUDY_NAME = r"^[A-Za-z0-9]([A-Za-z0-9 ._+-]{0,98}[A-Za-z0-9._+-])?$"


class Frozen(BaseModel):
    """A frozen table of settings that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TaskConfig(Frozen):
    """What the networks learn to do.

    Attributes:
        name: of a task: ``classification``, ``segmentation``, ... or one of your own.
        settings: its own settings.
        head: settings of its head, as ``decoder_width``; a list of values is searched. ``kind`` is another head.
    """

    name: str = "classification"
    settings: dict[str, Any] = {}
    head: dict[str, Setting | tuple[Setting, ...]] = {}

    def make(self) -> Task:
        """Return the task."""
        return make_task(self.name, self.settings)


class LatencySettings(Frozen):
    """The targets, and how much is timed on those that are present.

    Attributes:
        targets: names as ``h100:bf16:b32`` or ``cpu:fp32:b64``; one front is made for each.
        measured_networks: networks that are timed to learn the latency of a target that is present.
        budget_s: seconds of timed runs a network.
        models: folders of models that ``nas calibrate`` wrote; a target with one is not measured again.
    """

    targets: tuple[str, ...] = Field(("cpu:fp32:b64",), min_length=1)
    measured_networks: int = Field(20, ge=5)
    budget_s: float = Field(0.2, gt=0)
    models: tuple[str, ...] = ()
    measure: bool = True
    """Whether targets that are present are timed; else every latency is analytic."""


class SearchSettings(Frozen):
    """The search.

    Attributes:
        algorithm: name of a search algorithm.
        settings: its own settings.
        evaluations: distinct networks that each algorithm really evaluates.
        objectives: names, or tables with bounds; by default the task's metric and the latency on every target.
        compare: further algorithms that get the same evaluations, to hold the result against.
        start: files of networks that are evaluated first: front.json of earlier studies, architectures made by hand.
    """

    algorithm: str = "nsga2"
    settings: dict[str, Any] = {}
    evaluations: int = Field(120, ge=1)
    objectives: tuple[ObjectiveConfig, ...] = ()
    compare: tuple[str, ...] = ("random",)
    start: tuple[str, ...] = ()


class ScalingSettings(Frozen):
    """Rules by which the chosen networks are scaled, and the factors of their MACs."""

    rules: tuple[str, ...] = ("fast", "efficientnet")
    factors: tuple[float, ...] = (2.0, 4.0)


class StudyConfig(Frozen):
    """All settings of a study."""

    name: str = Field(pattern=STUDY_NAME)
    """Names the study in the database and its folder: letters, digits, space and . _ + -"""
    seed: int = Field(0, ge=0, lt=2**63)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    plugins: tuple[str, ...] = ()
    """Python files (from the working folder) that register a space, a data source, ... of one's own; run first."""
    counting: Literal["core", "fvcore", "pycls"] = "core"
    task: TaskConfig = Field(TaskConfig(), exclude_if=lambda task: task == TaskConfig())
    data: DataSettings = DataSettings()
    augmentation: AugmentSettings = AugmentSettings()
    space: dict[str, Any] = {"name": "ofa_mobilenet", "form": "small_image"}
    quantisation: QuantisationSettings | None = Field(None, exclude_if=is_absent)
    """Precisions that every block or layer of a network may choose from; None leaves all in the target's own."""
    training: TrainingSettings = TrainingSettings()
    latency: LatencySettings = LatencySettings()
    search: SearchSettings = SearchSettings()
    networks: int = Field(3, ge=1)
    """How many networks of the front are chosen, scaled, fine-tuned (or re-trained) and exported."""
    scaling: ScalingSettings = ScalingSettings()
    finetuning: FinalSettings = FinalSettings()

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_path(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        # A ValueError, so that pydantic reports it with the path of the key.
        try:
            return handler(value)
        except UsageError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _begin_with_plugins_and_task(cls, content: Any) -> Any:
        """Run the plugins, which may bring what other keys name; name the task's loss where no loss is named.

        So it is stored, and stays what it was should the task choose another.
        """
        if not isinstance(content, dict):
            return content
        load_plugins(content.get("plugins"))
        task = content.get("task")
        name = task.get("name") if isinstance(task, dict) else None
        training = content.get("training", {})
        if name not in tasks.names() or not isinstance(training, dict):
            return content
        return {**content, "training": {"loss": tasks.get(name).loss, **training}}

    @model_validator(mode="after")
    def _fits_together(self) -> StudyConfig:
        check_config(self)
        return self

    @property
    def objectives(self) -> tuple[ObjectiveConfig, ...]:
        """The objectives in force."""
        if self.search.objectives:
            return self.search.objectives
        latencies = tuple(ObjectiveConfig(name=f"latency_ms@{target}") for target in self.latency.targets)
        return (ObjectiveConfig(name=tasks.get(self.task.name).metric.name), *latencies)


def read_config(path: Path, overrides: Sequence[str] = ()) -> StudyConfig:
    """Return the configuration of a TOML file with ``a.b=c`` overrides.

    Raises:
        UsageError: the file can't be read, a key is unknown (close names are listed) or a value is not allowed; the
            path of the key is shown.
    """
    return make_config(read_toml(path, overrides), str(path))


def read_toml(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the content of a TOML file with ``a.b=c`` overrides; UsageError where either can't be read."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"can't read the configuration {path}: {error.strerror}: give the path of a TOML file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the configuration {path} is not TOML: {error}") from None
    return override(content, overrides)


def override(content: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return ``content`` after ``a.b=c`` overrides; it is changed."""
    for text in overrides:
        _override(content, text)
    return content


def make_config(content: Mapping[str, Any], source: str) -> StudyConfig:
    """Return the configuration of plain data; ``source`` names it in messages."""
    if "table" in content:
        raise UsageError(
            f"{source}: a study with [table] looks its networks up and trains nothing: "
            "put it into the queue with nas study submit, run it with nas runner"
        )
    try:
        return StudyConfig.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{source}: {first_problem(error, StudyConfig)}") from None
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from None


def parse_override(text: str) -> tuple[list[str], Any]:
    """Return (keys, value) of ``a.b=c``; the value is TOML, or else a string.

    Raises:
        UsageError: it is not of that form.
    """
    path, equals, given = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set got {text!r}: write it as key.key=value, as training.epochs=10")
    try:
        return keys, tomllib.loads(f"value = {given}")["value"]
    except tomllib.TOMLDecodeError:
        return keys, given


def _override(content: dict[str, Any], override: str) -> None:
    place(content, *parse_override(override), f"--set got {override!r}")


def place(content: dict[str, Any], keys: Sequence[str], value: Any, source: str) -> None:
    """Put a value into nested tables, which are made where they lack; UsageError where a key on the way is no table."""
    for key in keys[:-1]:
        content = content.setdefault(key, {})
        if not isinstance(content, dict):
            raise UsageError(f"{source}: {key!r} holds a value, not a table")
    content[keys[-1]] = value
