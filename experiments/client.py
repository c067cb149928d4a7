"""A client of ``nas serve``, in the words of the command. httpx is met here alone.

with Client("http://127.0.0.1:8765") as client:
    study = client.study("digits")
    for front in study.fronts():
        print(front.target, [c.label for c in front.candidates if c.on_front])
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from experiments.remote_study import RemoteStudy
from experiments.report.data import ScalingRow
from nas.files import replacing
from search_spaces.errors import ConflictError, NasError, StorageError, UsageError, missing_extra, unknown

if TYPE_CHECKING:
    import httpx

TOKEN_VARIABLE = "NAS_TOKEN"  # noqa: S105 - the name of a variable
CHUNK_BYTES = 2**18
KINDS: dict[str, type[NasError]] = {"storage": StorageError, "conflict": ConflictError, "failure": NasError}
"""Errors of the server by the kind in their body; every other kind is a UsageError."""


class Client:
    """A connection to one server.

    Args:
        url: as ``nas serve`` prints it.
        token: what ``nas serve --new-token`` printed; by default ``$NAS_TOKEN``. Reading on loopback needs none.

    Every method raises UsageError, ConflictError or StorageError as the command would, and StorageError when the server
    can't be reached.
    """

    def __init__(self, url: str = "http://127.0.0.1:8765", token: str | None = None, timeout_s: float = 60.0) -> None:
        try:
            import httpx
        except ModuleNotFoundError:
            raise missing_extra("httpx", "serve") from None
        given = token or os.environ.get(TOKEN_VARIABLE)
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        # trust_env: what was meant for loopback must not go to a proxy that the environment names.
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, trust_env=False)
        self._failure = httpx.HTTPError

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def studies(self, *, search: str = "", tag: str = "") -> list[RemoteStudy]:
        """Return the studies, the one that changed last first."""
        found: list[RemoteStudy] = []
        while True:
            query = {"search": search, "tag": tag, "limit": 500, "offset": len(found)}
            page = self.get("/api/studies", query)
            found += [RemoteStudy(self, line) for line in page["studies"]]
            if len(found) >= page["total"] or not page["studies"]:
                return found

    def study(self, name: str) -> RemoteStudy:
        """Return the study of this name; UsageError with close names where there is none."""
        found = {study.name: study for study in self.studies()}
        if name not in found:
            raise unknown("study", name, found)
        return found[name]

    def submit(
        self, name: str, *, template: str | None = None, like: RemoteStudy | None = None, **rest: Any
    ) -> RemoteStudy:
        """Put a study into the queue, with the settings of a template or of another study.

        Args:
            name: of the new study.
            template: of the server.
            like: a study of the server.
            **rest: ``seed``, ``priority``, ``max_evaluations``, ``max_hours``, ``tags``, ``note``.
        """
        body = {"name": name, "template": template, "like": like.id if like else None, **rest}
        return RemoteStudy(self, self.send("POST", "/api/studies", {k: v for k, v in body.items() if v is not None}))

    def templates(self) -> list[dict[str, Any]]:
        """Return the templates of the server."""
        return list(self.get("/api/templates"))

    def targets(self) -> list[dict[str, Any]]:
        """Return the devices whose facts are known."""
        return list(self.get("/api/targets"))

    def networks(self) -> list[dict[str, Any]]:
        """Return the published networks."""
        return list(self.get("/api/networks"))

    def scale(self, network: str, rules: Sequence[str], factors: Sequence[float] = (2.0, 4.0, 8.0)) -> list[ScalingRow]:
        """Return a published network scaled by rules and factors; all analytic."""
        query = {"network": network, "rule": list(rules), "factor": list(factors)}
        return [ScalingRow.model_validate(row) for row in self.get("/api/scaling", query)["rows"]]

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (kind, content) of live events: ``study`` first for each study, then as they change; ``deleted``."""
        try:
            with self._http.stream("GET", "/api/events", timeout=None) as answer:
                self._check(answer)
                kind = ""
                for line in answer.iter_lines():
                    field, _, value = line.partition(": ")
                    if field == "event":
                        kind = value
                    elif field == "data":
                        yield kind, json.loads(value)
        except self._failure as error:
            raise self._unreachable(error) from None

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """Return the JSON at ``path``."""
        return self._ask("GET", path, params=query).json()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON, which needs the token, and return the JSON of the answer, or None."""
        answer = self._ask(method, path, json=body)
        return answer.json() if answer.content else None

    def download(self, path: str, to: Path) -> None:
        """Write the bytes at ``path`` to a file, at once."""
        try:
            with self._http.stream("GET", path) as answer, replacing(to) as temporary, temporary.open("wb") as file:
                self._check(answer)
                for chunk in answer.iter_bytes(CHUNK_BYTES):
                    file.write(chunk)
        except self._failure as error:
            raise self._unreachable(error) from None

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except self._failure as error:
            raise self._unreachable(error) from None
        self._check(answer)
        return answer

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        answer.read()
        try:
            problem = answer.json()["error"]
        except (ValueError, KeyError, TypeError):
            raise NasError(f"{self._http.base_url} answered {answer.status_code}: is it nas serve?") from None
        raise KINDS.get(problem["kind"], UsageError)(problem["message"])

    def _unreachable(self, error: Exception) -> StorageError:
        return StorageError(
            f"{self._http.base_url} can't be reached ({error}): check the address, and that nas serve runs"
        )
