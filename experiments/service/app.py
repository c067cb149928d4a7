"""The application: routes, and errors as one line of JSON."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from experiments.service import routes_events, routes_facts, routes_jobs, routes_page, routes_studies
from experiments.service.access import Access
from experiments.service.catalogue import Catalogue, NotFound
from experiments.service.guard import Guard, error_content
from experiments.service.shapes import ErrorBody
from experiments.store.store import Store
from search_spaces.errors import ConflictError, NasError, StorageError, UsageError

log = logging.getLogger(__name__)

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "What was given can't be used."},
    401: {"model": ErrorBody, "description": "No token, or another one."},
    403: {"model": ErrorBody, "description": "A host or an origin that is not served."},
    404: {"model": ErrorBody, "description": "There is no such thing."},
    409: {"model": ErrorBody, "description": "The state of the study forbids it."},
    413: {"model": ErrorBody, "description": "The body is over 1 MiB."},
    429: {"model": ErrorBody, "description": "More than 60 requests a second."},
    503: {"model": ErrorBody, "description": "The database or the disk failed."},
}
STATUS: tuple[tuple[type[NasError], int], ...] = (
    (NotFound, 404),
    (UsageError, 400),
    (ConflictError, 409),
    (StorageError, 503),
)


def make_application(store: Store, out: Path) -> FastAPI:
    """Return the application without its guard: the routes over ``store`` and the folder ``out``."""
    app = FastAPI(
        title="nas",
        summary="Studies of architecture search: fronts, networks, files, live events.",
        description="Reading is open on loopback; anything that changes something needs a bearer token.",
        version="1",
        openapi_url="/api/openapi.json",
        # Their pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        responses=ERRORS,
    )
    app.state.catalogue = Catalogue(store, out)
    for routes in (routes_studies, routes_jobs, routes_facts, routes_events, routes_page):
        app.include_router(routes.router)
    app.add_exception_handler(NasError, _nas_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _defect)
    app.openapi_schema = _with_security(app.openapi())
    return app


def make_service(store: Store, out: Path, access: Access) -> Guard:
    """Return the service: the application behind the rules of ``access``."""
    return Guard(make_application(store, out), access)


def _answer(status: int, message: str) -> JSONResponse:
    return JSONResponse(error_content(status, message), status)


async def _nas_error(_request: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        log.warning("%s", error)
    return _answer(status, str(error))


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    # Nothing lies at an address that could not be one.
    return _answer(404 if first["loc"][0] == "path" else 400, f"{where}: {first['msg']}")


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 405 and request.method == "GET":
        return _answer(404, "there is nothing to read at this address")
    answer = _answer(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _defect(_request: Request, error: Exception) -> JSONResponse:
    log.error("a defect", exc_info=error)
    return _answer(500, "a defect: the server's log says where")


def _with_security(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI with the bearer token, which every operation that is no GET needs."""
    schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            if method != "get":
                operation["security"] = [{"token": []}]
    return schema
