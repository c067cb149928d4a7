"""What the API answers with. Every number that is not a plain count says how it was obtained."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from experiments.config import STUDY_NAME
from experiments.report.data import ChosenNetwork, Front, ScalingRow, SearchHistory
from predictors.measurement import Obtained


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Tag = Annotated[str, Field(min_length=1, max_length=64)]


class Problem(_Shape):
    """Why a request failed: the kind of error, and one line that says what is allowed and what to do."""

    kind: str
    message: str


class ErrorBody(_Shape):
    """The body of every answer that is not 2xx."""

    error: Problem


class Health(_Shape):
    """That the server is up; ``version`` is of the software."""

    status: str
    version: str


class StudyLine(_Shape):
    """A study in a list; ``asked_evaluations`` is what its settings ask for, None where they do not say."""

    id: int
    name: str
    state: str
    reason: str
    seed: int
    created_at: datetime
    updated_at: datetime
    num_evaluations: int
    asked_evaluations: int | None
    runner: str
    priority: int
    queued_at: datetime | None
    max_evaluations: int | None
    max_hours: float | None
    used_hours: float
    tags: tuple[str, ...]
    note: str
    space: str
    targets: tuple[str, ...]


class StateNow(_Shape):
    """The state of a study after a verb."""

    id: int
    state: str


class EventLine(_Shape):
    """One thing that happened to a study as a whole."""

    id: int
    at: datetime
    event: str
    detail: str


class TemplateLine(_Shape):
    """Settings that studies can be submitted from; they are saved on the server's machine, never through the API."""

    name: str
    note: str
    settings: dict[str, Any]


class Submission(_Asked):
    """A study to put into the queue: with the settings of a template or of another study, and a name of its own.

    No setting comes from the client: settings name files and Python modules of the server.
    """

    name: str = Field(pattern=STUDY_NAME)
    template: str | None = Field(None, max_length=512)
    like: int | None = Field(None, ge=1, lt=2**53)
    seed: int | None = Field(None, ge=0, lt=2**63)
    priority: int = Field(0, ge=-(10**6), le=10**6)
    max_evaluations: int | None = Field(None, ge=1, lt=2**53)
    max_hours: float | None = Field(None, gt=0, lt=10**6, allow_inf_nan=False)
    tags: tuple[Tag, ...] = Field((), max_length=32)
    note: str = Field("", max_length=100_000)


class Change(_Asked):
    """What people may change of a study; what is left out stays."""

    priority: int | None = Field(None, ge=-(10**6), le=10**6)
    note: str | None = Field(None, max_length=100_000)
    tags: tuple[Tag, ...] | None = Field(None, max_length=32)


class StudyPage(_Shape):
    """A page of the list; ``total`` counts all that match."""

    total: int
    studies: tuple[StudyLine, ...]


class StageState(_Shape):
    """A stage of a study: when it is done, its seconds (measured)."""

    name: str
    done: bool
    seconds: float | None


class PanelTitle(_Shape):
    """A panel that has something to show; its HTML is at ``/view/studies/ID/panels/NAME``."""

    name: str
    title: str
    short: str


class StudyDetail(StudyLine):
    """A study: its line, stages, settings and panels."""

    stages: tuple[StageState, ...]
    settings: dict[str, Any]
    panels: tuple[PanelTitle, ...]
    notes: tuple[str, ...]


class FrontList(_Shape):
    """The fronts of a study, one a target; empty until the study has them."""

    fronts: tuple[Front, ...]


class NetworkDetail(_Shape):
    """One evaluated network: knobs, exact costs, every quantity that is known, files that can be downloaded."""

    study_id: int
    network: ChosenNetwork
    artifacts: tuple[ArtifactLine, ...]


class ArtifactLine(_Shape):
    """A file of a study; download it at ``/api/studies/STUDY/artifacts/ID``."""

    id: str
    name: str
    num_bytes: int
    sha256: str


class ArtifactList(_Shape):
    """The files of a study."""

    artifacts: tuple[ArtifactLine, ...]


class ScalingList(_Shape):
    """Scaled networks beside what was asked; all analytic."""

    obtained: Obtained = "analytic"
    counting: str
    base: str
    rows: tuple[ScalingRow, ...]
    refused: dict[str, str]


class SearchProgress(_Shape):
    """Hypervolume after numbers of evaluations."""

    search: SearchHistory


class TargetLine(_Shape):
    """A device whose facts are known."""

    device: str
    kind: str
    precisions: tuple[str, ...]
    source: str


class PublishedLine(_Shape):
    """A published network."""

    name: str
    family: str
    resolution: tuple[int, int]
    source: str


class Comparison(_Shape):
    """Two studies: settings that differ, as (path, first, second), and what both reached."""

    first: StudyLine
    second: StudyLine
    differences: tuple[tuple[str, str | None, str | None], ...]


NetworkDetail.model_rebuild()
