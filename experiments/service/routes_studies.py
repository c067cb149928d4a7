"""Studies: the list, one study, its fronts, table, networks and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse

from experiments.evaluated import asked_evaluations
from experiments.report.data import ReportData
from experiments.report.panels.provenance import flat_settings
from experiments.report.table import EvaluatedTable
from experiments.service.artifacts import artifacts_of, network_artifacts
from experiments.service.catalogue import Catalogue, NotFound
from experiments.service.files import open_below
from experiments.service.networks import find_network
from experiments.service.shapes import (
    ArtifactLine,
    ArtifactList,
    Comparison,
    FrontList,
    NetworkDetail,
    PanelTitle,
    SearchProgress,
    StageState,
    StudyDetail,
    StudyLine,
    StudyPage,
)
from experiments.store.store import StudySummary

router = APIRouter(prefix="/api", tags=["studies"])

STAGES = ("latency", "training", "search", "selection", "scaling", "export")
CHUNK_BYTES = 2**18

StudyId = Annotated[int, Path(ge=1, lt=2**53, description="As the list of studies gives it.")]
NetworkKey = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Key of an architecture.")]
ArtifactId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="As the list of artifacts gives it.")]
SortKey = Literal["created_at", "updated_at", "name", "state", "num_evaluations"]


def catalogue_of(request: Request) -> Catalogue:
    """Return the catalogue of the running application."""
    found: Catalogue = request.app.state.catalogue
    return found


Studies = Annotated[Catalogue, Depends(catalogue_of)]


@router.get("/studies")
def list_studies(
    studies: Studies,
    sort: SortKey = "updated_at",
    order: Literal["asc", "desc"] = "desc",
    search: Annotated[str, Query(max_length=512, description="Part of the name.")] = "",
    tag: Annotated[str, Query(max_length=64, description="Only those that have it.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> StudyPage:
    """List the studies."""
    found = [each for each in studies.store.studies(tag=tag or None) if search.lower() in each.name.lower()]
    found.sort(key=lambda each: getattr(each, sort), reverse=order == "desc")
    shown = found[offset : offset + limit]
    return StudyPage(total=len(found), studies=tuple(study_line(studies, each) for each in shown))


@router.get("/studies/{study_id}")
def show_study(studies: Studies, study_id: StudyId) -> StudyDetail:
    """Return one study: its settings, how far its stages are, and the panels that have something to show."""
    summary = studies.summary(study_id)
    study = studies.store.load(summary.name)
    shown = studies.shown(study_id)
    panels = tuple(PanelTitle(name=p.name, title=p.title, short=p.short) for p in shown.panels)
    line = study_line(studies, summary)
    stages = _stages(study.done("stage"))
    return StudyDetail(
        **line.model_dump(), stages=stages, settings=study.settings, panels=panels, notes=shown.report.notes
    )


@router.get("/studies/{study_id}/fronts")
def show_fronts(studies: Studies, study_id: StudyId, target: Annotated[str, Query(max_length=200)] = "") -> FrontList:
    """Return the Pareto front of every target, or of one: candidates with how each number was obtained."""
    fronts = studies.report(study_id).fronts
    if target:
        fronts = tuple(front for front in fronts if front.target == target)
        if not fronts:
            raise NotFound("the study has no front of that target: GET its fronts without target lists them")
    return FrontList(fronts=fronts)


@router.get("/studies/{study_id}/table")
def show_table(studies: Studies, study_id: StudyId) -> EvaluatedTable:
    """Return every evaluated network as columns: quantities and knobs."""
    return studies.report(study_id).table


@router.get("/studies/{study_id}/search")
def show_search(studies: Studies, study_id: StudyId) -> SearchProgress:
    """Return the hypervolume after numbers of evaluations."""
    return SearchProgress(search=studies.report(study_id).search)


@router.get("/studies/{study_id}/report")
def show_report(studies: Studies, study_id: StudyId) -> ReportData:
    """Return everything that the panels of a study are made of."""
    return studies.report(study_id)


@router.get("/studies/{study_id}/networks/{key}")
def show_network(studies: Studies, study_id: StudyId, key: NetworkKey) -> NetworkDetail:
    """Return one evaluated network."""
    study = studies.study(study_id)
    network = find_network(study, studies.report(study_id), key)
    return NetworkDetail(
        study_id=study_id, network=network, artifacts=network_artifacts(studies, study_id, network.files)
    )


@router.get("/studies/{study_id}/artifacts")
def list_artifacts(studies: Studies, study_id: StudyId) -> ArtifactList:
    """List the files of a study."""
    found = artifacts_of(studies.study(study_id))
    return ArtifactList(
        artifacts=tuple(
            ArtifactLine(id=name, name=file.name, num_bytes=file.num_bytes, sha256=file.sha256)
            for name, file in found.items()
        )
    )


@router.get(
    "/studies/{study_id}/artifacts/{artifact_id}",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file's bytes."}},
)
def download(studies: Studies, study_id: StudyId, artifact_id: ArtifactId) -> StreamingResponse:
    """Download a file of a study."""
    study = studies.study(study_id)
    found = artifacts_of(study).get(artifact_id)
    if found is None:
        raise NotFound("the study has no artifact with that id: GET its artifacts lists them")
    file = open_below(studies.folder(study), found.name)
    size = file.seek(0, 2)
    file.seek(0)
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in found.name.replace("/", "-"))
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-length": str(size)}
    return StreamingResponse(_chunks(file), media_type="application/octet-stream", headers=headers)


@router.get("/compare")
def compare(
    studies: Studies,
    first: Annotated[int, Query(ge=1, lt=2**53)],
    second: Annotated[int, Query(ge=1, lt=2**53)],
) -> Comparison:
    """Compare two studies: the settings in which they differ."""
    lines = [study_line(studies, studies.summary(each)) for each in (first, second)]
    one, other = (dict(flat_settings(studies.study(each).settings)) for each in (first, second))
    paths = [path for path in {**one, **other} if one.get(path) != other.get(path)]
    differences = tuple((path, one.get(path), other.get(path)) for path in paths)
    return Comparison(first=lines[0], second=lines[1], differences=differences)


def study_line(studies: Catalogue, summary: StudySummary) -> StudyLine:
    """Return a study as a list shows it."""
    settings = studies.settings(summary)
    latency = settings.get("latency") or {}
    return StudyLine(
        id=summary.id,
        name=summary.name,
        state=summary.state,
        seed=summary.seed,
        created_at=summary.created_at,
        updated_at=summary.updated_at,
        num_evaluations=summary.num_evaluations,
        asked_evaluations=asked_evaluations(settings),
        runner=summary.runner,
        reason=summary.reason,
        priority=summary.priority,
        queued_at=summary.queued_at,
        max_evaluations=summary.max_evaluations,
        max_hours=summary.max_hours,
        used_hours=summary.used_hours,
        tags=summary.tags,
        note=summary.note,
        space=str((settings.get("space") or {}).get("name", "")),
        targets=tuple(map(str, latency.get("targets") or ())),
    )


def _stages(done: dict[str, dict[str, Any]]) -> tuple[StageState, ...]:
    names = (*STAGES, *(name for name in done if name not in STAGES))
    return tuple(StageState(name=n, done=n in done, seconds=done.get(n, {}).get("seconds")) for n in names)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
