"""Live events: a stream of server-sent events that says which studies changed, so that nothing needs to poll."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from experiments.service.catalogue import Catalogue
from experiments.service.routes_studies import Studies, study_line
from search_spaces.errors import NasError

router = APIRouter(prefix="/api", tags=["events"])

INTERVAL_S = 1.0
COMMENT_EVERY = 15
MAX_LISTENERS = 64


class Listeners:
    """How many streams are open; each costs a look at the database a second."""

    def __init__(self) -> None:
        self.open = 0


listeners = Listeners()


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "A stream without an end."}},
)
async def events(studies: Studies) -> StreamingResponse:
    """Stream ``study`` (a line that changed), ``all`` (the ids, once), ``deleted`` (an id), ``problem`` (a line)."""
    if listeners.open >= MAX_LISTENERS:
        raise HTTPException(503, f"{MAX_LISTENERS} streams of events are open: close one")
    return StreamingResponse(_stream(studies), media_type="text/event-stream")


async def _stream(studies: Catalogue) -> AsyncIterator[str]:
    listeners.open += 1
    known: dict[int, str] = {}
    quiet = 0
    try:
        yield "retry: 2000\n\n"
        while True:
            messages = await run_in_threadpool(_changes, studies, known)
            for message in messages:
                yield message
            quiet = 0 if messages else quiet + 1
            if quiet >= COMMENT_EVERY:
                # So that a dead connection is noticed.
                quiet = 0
                yield ": still here\n\n"
            await asyncio.sleep(INTERVAL_S)
    finally:
        listeners.open -= 1


def _changes(studies: Catalogue, known: dict[int, str]) -> list[str]:
    """Return the events since the last call, and note in ``known`` what was said."""
    try:
        lines = {key: study_line(studies, summary) for key, summary in studies.summaries().items()}
    except NasError as error:
        return [_event("problem", {"message": str(error)})]
    found, told = [], bool(known)
    for key, line in lines.items():
        text = line.model_dump_json()
        if known.get(key) != text:
            known[key] = text
            found.append(f"event: study\ndata: {text}\n\n")
    if not told:
        # A study that was deleted while nobody listened is not in it.
        found.append(_event("all", {"ids": list(lines)}))
    for key in known.keys() - lines.keys():
        del known[key]
        found.append(_event("deleted", {"id": key}))
    return found


def _event(kind: str, content: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(content)}\n\n"
