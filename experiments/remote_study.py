"""A study of a server, in the words of the command; ``experiments.client`` gives them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.report.data import ChosenNetwork, Front, ReportData, SearchHistory
from experiments.report.table import EvaluatedTable
from search_spaces.errors import NasError

if TYPE_CHECKING:
    from experiments.client import Client


@dataclass(frozen=True)
class RemoteStudy:
    """A study of a server; ``line`` is what the list said of it when it was read."""

    client: Client
    line: dict[str, Any]

    @property
    def id(self) -> int:
        """The server's number of it."""
        return int(self.line["id"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.line["name"])

    @property
    def state(self) -> str:
        """Its state, asked now."""
        return str(self.client.get(self._path)["state"])

    def _repr_html_(self) -> str:
        """Show the study in a notebook."""
        from experiments.report.notebook import study_html

        done, asked = self.line["num_evaluations"], self.line["asked_evaluations"]
        return study_html(self.name, self.state, done, asked, self.fronts())

    @property
    def _path(self) -> str:
        return f"/api/studies/{self.id}"

    def report(self) -> ReportData:
        """Return everything that its panels show."""
        return ReportData.model_validate(self.client.get(f"{self._path}/report"))

    def fronts(self) -> list[Front]:
        """Return the front of every target."""
        return [Front.model_validate(front) for front in self.client.get(f"{self._path}/fronts")["fronts"]]

    def table(self) -> EvaluatedTable:
        """Return every evaluated network as columns."""
        return EvaluatedTable.model_validate(self.client.get(f"{self._path}/table"))

    def search(self) -> SearchHistory:
        """Return the hypervolume over the evaluations."""
        return SearchHistory.model_validate(self.client.get(f"{self._path}/search")["search"])

    def network(self, key: str) -> ChosenNetwork:
        """Return one evaluated network by its key."""
        return ChosenNetwork.model_validate(self.client.get(f"{self._path}/networks/{key}")["network"])

    def artifacts(self) -> list[dict[str, Any]]:
        """Return its files: ``id``, ``name``, ``num_bytes``, ``sha256``."""
        return list(self.client.get(f"{self._path}/artifacts")["artifacts"])

    def download(self, artifact: dict[str, Any], to: Path) -> Path:
        """Write one of its files to ``to`` and return that; NasError where its SHA-256 is another."""
        self.client.download(f"{self._path}/artifacts/{artifact['id']}", to)
        with to.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != artifact["sha256"]:
            raise NasError(f"{to} has another SHA-256 than {artifact['name']}: it was changed after its export")
        return to

    def pause(self) -> str:
        """Let no more work begin until ``resume``; return the state."""
        return self._move("pause")

    def resume(self) -> str:
        """Put it back into the queue; return the state."""
        return self._move("resume")

    def stop(self) -> str:
        """End it for good once the work that runs is finished; return the state."""
        return self._move("stop")

    def cancel(self) -> str:
        """End it now and for good; return the state."""
        return self._move("cancel")

    def change(self, **values: Any) -> RemoteStudy:
        """Change ``priority``, ``note`` or ``tags``; return the study as it is then."""
        return RemoteStudy(self.client, self.client.send("PATCH", self._path, values))

    def delete(self) -> None:
        """Delete it from the database; its files stay."""
        self.client.send("DELETE", self._path)

    def _move(self, verb: str) -> str:
        return str(self.client.send("POST", f"{self._path}/{verb}")["state"])
