"""The page: its files, and the panels of a study as pieces of HTML, the same that make ``report.html``."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter

from experiments.report.page import EXPLORER, FOLDER, plotly_script, render_panel
from experiments.report.panel import Panel
from experiments.report.panels.networks import network_panel
from experiments.service.catalogue import NotFound
from experiments.service.networks import find_network
from experiments.service.routes_studies import NetworkKey, Studies, StudyId

router = APIRouter(include_in_schema=False)

PAGE = Path(__file__).parent / "page"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}
# Names, not paths: what is asked for is looked up here and never joined to a folder.
OWN = ("api", "parts", "studies", "study", "network", "compare", "scaling", "app")
FILES = {
    **{f"{name}.js": PAGE / f"{name}.js" for name in OWN},
    **{name: FOLDER / name for name in ("figures.js", *EXPLORER, "page.css")},
    **{name: PAGE / name for name in ("app.css", "plotly.css", "icon.svg")},
}


@router.get("/")
def index(request: Request) -> Response:
    """Return the page."""
    return _answer(request, (PAGE / "index.html").read_bytes(), ".html")


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """Return one of the page's own files."""
    if name == "plotly.js":
        return _answer(request, _plotly(), ".js")
    path = FILES.get(name)
    if path is None:
        raise NotFound("the page has no such file")
    return _answer(request, path.read_bytes(), path.suffix)


@router.get("/view/studies/{study_id}/panels/{name}")
def panel(studies: Studies, study_id: StudyId, name: Annotated[str, PathParameter(max_length=100)]) -> Response:
    """Return one panel of a study as HTML."""
    found = next((each for each in studies.shown(study_id).panels if each.name == name), None)
    if found is None:
        raise NotFound("the study has no such panel: its detail lists them")
    return _html(found)


@router.get("/view/studies/{study_id}/networks/{key}")
def network(studies: Studies, study_id: StudyId, key: NetworkKey) -> Response:
    """Return one network as HTML: drawing, costs, quantities."""
    report = studies.report(study_id)
    return _html(network_panel(find_network(studies.study(study_id), report, key), report.counting))


def _html(found: Panel) -> Response:
    return Response(render_panel(found), media_type="text/html")


@lru_cache(maxsize=1)
def _plotly() -> bytes:
    # Its part for maps adds a style element when it is loaded: no map is drawn here, and the policy forbids it.
    return re.sub(
        r"(\.maplibregl-pseudo-fullscreen\{[^']*'),document\.head\.appendChild\(e\)", r"\1", plotly_script()
    ).encode()


def _answer(request: Request, content: bytes, suffix: str) -> Response:
    """Return a file, or 304 where the browser has it."""
    tag = f'"{_tag(content)}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=TYPES[suffix], headers=headers)


@lru_cache(maxsize=64)
def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
