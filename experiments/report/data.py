"""What a report is made of: plain frozen data that round-trips through JSON, with how every number was obtained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    ValidationError,
    field_validator,
)

from experiments.report.table import EvaluatedTable
from nas.tasks import Metric
from predictors.measurement import Obtained
from search_spaces.blueprint import Blueprint, blueprint_from_dict
from search_spaces.errors import UsageError


def _absent_if_not_finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Diverging = Annotated[float | None, BeforeValidator(_absent_if_not_finite)]
"""A number that a failed training may have made infinite or NaN; such a value is kept as None."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantity(_Frozen):
    """One number.

    Attributes:
        value: in ``unit``.
        unit: ``%``, ``ms``, ``bytes``, ``count``, ...
        obtained: ``measured``, ``predicted``, ``analytic`` or ``table``.
        spread: one standard deviation or half an interquartile range, in ``unit``.
        lower, upper: bounds of an interval, in ``unit``.
        n: the number of samples behind the value.
    """

    value: FiniteFloat
    unit: str
    obtained: Obtained
    spread: FiniteFloat | None = Field(None, ge=0)
    lower: FiniteFloat | None = None
    upper: FiniteFloat | None = None
    n: int | None = Field(None, ge=0)


class ReportMetric(_Frozen):
    """What the networks of the study are judged by: accuracy, or the metric of its task.

    What the other classes here call accuracy is that metric, in its unit.
    """

    name: str = "accuracy"
    title: str = "accuracy"
    unit: str = "%"
    direction: Literal["max", "min"] = "max"

    @classmethod
    def of(cls, metric: Metric) -> ReportMetric:
        """Return a task's metric as the report holds it."""
        return cls(name=metric.name, title=metric.title, unit=metric.unit, direction=metric.direction)

    @property
    def heading(self) -> str:
        """The title as the first word of a line."""
        return self.title[:1].upper() + self.title[1:]

    def rank(self, value: float) -> float:
        """Return a number that is larger for a better value."""
        return value if self.direction == "max" else -value


class Costs(_Frozen):
    """Exact counts of one network at batch 1 (``peak_memory_bytes`` is an estimate); all analytic."""

    macs: int = Field(ge=0)
    params: int = Field(ge=0)
    activations: int = Field(ge=0)
    peak_memory_bytes: int = Field(ge=0)


class SpaceInfo(_Frozen):
    """The search space; ``size`` is the exact number of its networks, in decimal digits."""

    name: str
    settings: dict[str, JsonValue] = {}
    size: str = Field(pattern=r"^[0-9]+$")


class StudyInfo(_Frozen):
    """The study: its settings and everything that is needed to do it again.

    Attributes:
        created: date and time, ISO 8601.
        stage_seconds: (stage, wall-clock seconds) in the order in which the stages ran.
    """

    name: str
    created: str
    settings: dict[str, JsonValue] = {}
    seed: int
    space: SpaceInfo
    versions: dict[str, str] = {}
    machine: dict[str, str] = {}
    stage_seconds: tuple[tuple[str, FiniteFloat], ...] = ()


class GroupAccuracy(_Frozen):
    """The accuracy of networks of similar cost.

    Attributes:
        least_macs, most_macs: of the group.
        percent: mean over a few of its networks, of validation data, in the unit of the metric.
    """

    least_macs: int
    most_macs: int
    percent: Diverging


def group_scores(groups: Iterable[Mapping[str, Any]]) -> tuple[GroupAccuracy, ...]:
    """Return the groups of a point of the curves: range of MACs, and behind it the metric by its name."""
    found = []
    for group in groups:
        macs = {name: group[name] for name in ("least_macs", "most_macs")}
        [value] = [value for name, value in group.items() if name not in macs]
        found.append(GroupAccuracy(**macs, percent=value))
    return tuple(found)


class TrainingPoint(_Frozen):
    """The state of training after ``step`` optimiser steps.

    Attributes:
        epoch: finished epochs; None where that is not known.
        images: images seen, each once for every network that it trained.
        loss: mean over the networks of the step.
        accuracy_smallest, accuracy_middle, accuracy_largest: of validation data, in %, where evaluated.
        groups: by MACs, the same at each point.
        rollbacks: what was undone on the way to this point, a line each.
    """

    step: int
    epoch: int | None = None
    images: int
    loss: Diverging
    learning_rate: FiniteFloat
    accuracy_smallest: Diverging = None
    accuracy_middle: Diverging = None
    accuracy_largest: Diverging = None
    groups: tuple[GroupAccuracy, ...] = ()
    rollbacks: tuple[str, ...] = ()


class HypervolumePoint(_Frozen):
    """The hypervolume of everything found after ``evaluations`` evaluated networks."""

    evaluations: int
    hypervolume: FiniteFloat


class SearchRun(_Frozen):
    """One algorithm's search; ``algorithm`` is ``nsga2``, ``random``, ..."""

    algorithm: str
    history: tuple[HypervolumePoint, ...]
    final: FiniteFloat


class SearchHistory(_Frozen):
    """Searches in the same supernetwork under the same hypervolume.

    Attributes:
        reference_point: the worst corner, one value an objective, each named with its unit.
        normalisation: in words, how objectives are scaled before the volume is taken.
        obtained: how the objectives were obtained.
    """

    runs: tuple[SearchRun, ...] = ()
    reference_point: dict[str, FiniteFloat] = {}
    normalisation: str = ""
    obtained: tuple[Obtained, ...] = ()


class Candidate(Costs):
    """One network that the search evaluated; ``accuracy`` is of validation data."""

    key: str
    label: str
    accuracy: Quantity
    latency_ms: Quantity
    on_front: bool
    chosen: bool = False


class Front(_Frozen):
    """The candidates as one target sees them; ``recipe`` names their score, and after a comma how it was obtained."""

    target: str
    recipe: str
    candidates: tuple[Candidate, ...]

    def _repr_html_(self) -> str:
        """Show the front in a notebook."""
        from experiments.report.notebook import front_html

        return front_html(self)


class RobustNetworks(_Frozen):
    """The networks that together lose least of the fronts of all targets.

    Attributes:
        labels: of the networks, the one that helps most first.
        lost: by target, the share of its front's hypervolume that they do not reach, 0 to 1.
        chosen_lost: the same of the chosen networks.
        reference: in words, what the hypervolume is taken to.
    """

    labels: tuple[str, ...]
    lost: dict[str, FiniteFloat]
    chosen_lost: dict[str, FiniteFloat]
    reference: str = ""


class PredictorPoint(_Frozen):
    """One network's predicted and measured value; ``spread`` is the predictor's standard deviation."""

    key: str
    predicted: FiniteFloat
    spread: FiniteFloat | None = Field(None, ge=0)
    measured: FiniteFloat


class PredictorFit(_Frozen):
    """A predictor held against measurements of networks that it was not fitted to.

    ``error`` is its error in words, with the unit.
    """

    title: str
    quantity: str
    unit: str
    target: str = ""
    points: tuple[PredictorPoint, ...]
    kendall_tau: Diverging = None
    error: str = ""


class NamedQuantity(_Frozen):
    """A quantity of a chosen network.

    Attributes:
        name: ``predicted_validation_accuracy``, ``searched_validation_accuracy``, ``validation_accuracy``,
            ``test_accuracy``, ``test_accuracy_fine_tuned`` (or ``..._re_trained``), ``onnx_test_accuracy``,
            ``latency_ms``, ...
        target: the target that it holds for, or "".
        recipe: how it came about: weights, data, runs.
    """

    name: str
    quantity: Quantity
    target: str = ""
    recipe: str = ""


class ExportedFile(_Frozen):
    """A file that was written for a network; ``name`` is relative to the run's folder."""

    name: str
    num_bytes: int = Field(ge=0)
    sha256: str


class ChosenNetwork(_Frozen):
    """A network that the selection took; ``blueprint`` is ``Blueprint.to_dict``'s data."""

    key: str
    label: str
    reason: str
    knobs: dict[str, int | float | str]
    blueprint: dict[str, JsonValue]
    costs: Costs
    quantities: tuple[NamedQuantity, ...] = ()
    files: tuple[ExportedFile, ...] = ()

    @field_validator("blueprint")
    @classmethod
    def _can_be_read(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            blueprint_from_dict(value)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return value

    def read_blueprint(self) -> Blueprint:
        """Return the blueprint as an object."""
        return blueprint_from_dict(self.blueprint)


class ScalingRow(_Frozen):
    """A scaled network beside what was asked; ``predicted_growth`` is the rule's law, by ``macs``, ``params``, ..."""

    base: str
    rule: str
    factor_asked: FiniteFloat
    factor_achieved: FiniteFloat
    resolution: tuple[int, int]
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    macs: int
    params: int
    activations: int
    predicted_growth: dict[str, FiniteFloat] = {}


class ReportData(_Frozen):
    """Everything that the report shows; an empty part leaves its panel out."""

    study: StudyInfo
    metric: ReportMetric = Field(ReportMetric(), exclude_if=lambda metric: metric == ReportMetric())
    counting: str = "core"
    training: tuple[TrainingPoint, ...] = ()
    search: SearchHistory = SearchHistory()
    fronts: tuple[Front, ...] = ()
    robust: RobustNetworks | None = None
    predictors: tuple[PredictorFit, ...] = ()
    networks: tuple[ChosenNetwork, ...] = ()
    scaling: tuple[ScalingRow, ...] = ()
    table: EvaluatedTable = EvaluatedTable()
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """Show the fronts in a notebook."""
        from experiments.report.notebook import report_html

        return report_html(self)

    def to_json(self) -> str:
        """Return the data as JSON, the inverse of ``read_report_data``."""
        return self.model_dump_json()


def read_report_data(text: str) -> ReportData:
    """Return the data of ``ReportData.to_json``'s text.

    Raises:
        UsageError: the text is not such JSON; the first wrong key is named by its path.
    """
    try:
        return ReportData.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(map(str, first["loc"])) or "the text"
        raise UsageError(f"the report's data can't be read: {path}: {first['msg']}: run the study again") from None
