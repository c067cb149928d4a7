"""Studies as jobs: submitting, the four verbs, labels, deleting; what changes something needs the token."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from experiments.service.routes_studies import Studies, StudyId, study_line
from experiments.service.shapes import Change, EventLine, StateNow, StudyLine, Submission, TemplateLine
from experiments.store.store import Budget
from search_spaces.errors import UsageError

router = APIRouter(prefix="/api", tags=["jobs"])

Verb = Literal["pause", "resume", "stop", "cancel"]


@router.get("/templates")
def list_templates(studies: Studies) -> list[TemplateLine]:
    """List the templates that studies can be submitted from."""
    found = studies.store.labels.templates()
    return [TemplateLine(name=each.name, note=each.note, settings=each.settings) for each in found]


@router.get("/queue")
def list_queue(studies: Studies) -> list[StudyLine]:
    """List what waits or runs, in the order in which it is taken."""
    waiting = [each for each in studies.store.studies() if each.queued_at is not None]
    waiting.sort(key=lambda each: (-each.priority, each.queued_at, each.id))
    return [study_line(studies, each) for each in waiting]


@router.post("/studies", status_code=201)
def submit(studies: Studies, asked: Submission) -> StudyLine:
    """Put a study into the queue; a runner that works off the queue takes it."""
    from experiments.job import make_job, submit_job

    submit_job(
        studies.store,
        make_job(_settings(studies, asked), f"study {asked.name!r}"),
        priority=asked.priority,
        budget=Budget(asked.max_evaluations, asked.max_hours),
        tags=asked.tags,
        note=asked.note,
    )
    return study_line(studies, studies.store.studies(name=asked.name)[0])


def _settings(studies: Studies, asked: Submission) -> dict[str, Any]:
    """Return the settings of the template or the study that ``asked`` names, with its name and seed."""
    if (asked.template is None) == (asked.like is None):
        raise UsageError("give template (a name) or like (a study's id), not both and not neither")
    if asked.like is not None:
        found = dict(studies.study(asked.like).settings)
    else:
        found = dict(studies.store.labels.template(str(asked.template)).settings)
    return found | {"name": asked.name} | ({} if asked.seed is None else {"seed": asked.seed})


@router.post("/studies/{study_id}/{verb}")
def move(studies: Studies, study_id: StudyId, verb: Verb) -> StateNow:
    """Pause, resume, stop (what runs is finished) or cancel (now) a study."""
    name = studies.summary(study_id).name
    return StateNow(id=study_id, state=getattr(studies.store.queue, verb)(name))


@router.patch("/studies/{study_id}")
def change(studies: Studies, study_id: StudyId, asked: Change) -> StudyLine:
    """Change the priority, the note or the tags of a study."""
    summary, store = studies.summary(study_id), studies.store
    if asked.priority is not None:
        store.queue.change(summary.name, priority=asked.priority)
    if asked.note is not None:
        store.labels.note(summary.name, asked.note)
    if asked.tags is not None:
        store.labels.untag(summary.name, set(summary.tags) - set(asked.tags))
        store.labels.tag(summary.name, asked.tags)
    return study_line(studies, studies.summary(study_id))


@router.get("/studies/{study_id}/log")
def show_log(studies: Studies, study_id: StudyId, after: Annotated[int, Query(ge=0, lt=2**53)] = 0) -> list[EventLine]:
    """List what happened to a study as a whole, oldest first."""
    found = studies.store.events(studies.summary(study_id).name, after=after)
    return [EventLine(id=each.id, at=each.at, event=each.event, detail=each.detail) for each in found]


@router.delete("/studies/{study_id}", status_code=204)
def delete_study(studies: Studies, study_id: StudyId) -> None:
    """Delete a study from the database; its files stay."""
    studies.store.delete(studies.summary(study_id).name)
