"""What the API answers with. Every number that is not a plain count says how it was obtained."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from experiments.report.data import ChosenNetwork, Front, ScalingRow, SearchHistory
from predictors.measurement import Obtained


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


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

    id: str
    name: str
    state: str
    seed: int
    created_at: datetime
    updated_at: datetime
    num_evaluations: int
    asked_evaluations: int | None
    runner: str
    space: str
    targets: tuple[str, ...]


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

    study_id: str
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
