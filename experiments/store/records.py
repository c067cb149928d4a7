"""What a study remembers: the side of it that only reads, which needs no runner."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from experiments.store.engine import Database
from experiments.store.evaluations import Evaluation, read_keys, read_page, read_values
from experiments.store.models import ArchitectureRow, ArtifactRow, MeasurementRow, StudyRow, WorkRow, epoch_seconds
from experiments.store.states import EVALUATION, shown_state
from experiments.store.values import decode, moment
from predictors.measurement import Measurement, Obtained
from search_spaces.errors import ConflictError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a study made; ``path`` is relative to the folder that ``add_artifact`` was given."""

    name: str
    path: str
    sha256: str
    num_bytes: int
    created_at: datetime


class Records:
    """The stored content of one study.

    Attributes:
        id, name, seed: of the study.
        settings: as they were given when it was made.
    """

    def __init__(self, database: Database, row: StudyRow, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s
        self.id = row.id
        self.name = row.name
        self.seed = row.seed
        self.settings: dict[str, Any] = decode(row.settings)

    @property
    def state(self) -> str:
        """The state as ``experiments.store.states`` lists them, read now.

        Raises:
            ConflictError: the study was deleted.
        """
        with self._database.read() as session:
            found = session.execute(select(StudyRow, epoch_seconds()).where(StudyRow.id == self.id)).one_or_none()
        if found is None:
            raise ConflictError(f"study {self.name!r} was deleted: make it again")
        return shown_state(found[0], found[1], self._lease_s)

    def done(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the payloads of finished work by key, in order of finishing."""
        finished = select(WorkRow.key, WorkRow.payload).where(
            WorkRow.study_id == self.id, WorkRow.kind == kind, WorkRow.sequence.is_not(None)
        )
        with self._database.read() as session:
            return {key: decode(payload) for key, payload in session.execute(finished.order_by(WorkRow.sequence))}

    def _repr_html_(self) -> str:
        """Show state and progress in a notebook; the fronts are in the report's data."""
        from experiments.evaluated import asked_evaluations
        from experiments.report.notebook import study_html

        return study_html(self.name, self.state, len(self.done("evaluation")), asked_evaluations(self.settings), ())

    def attempts(self, kind: str) -> dict[str, int]:
        """Return how often each key was begun, in order of the first time; above 1 it was done again."""
        begun = select(WorkRow.key, WorkRow.attempts).where(WorkRow.study_id == self.id, WorkRow.kind == kind)
        with self._database.read() as session:
            return dict(session.execute(begun.order_by(WorkRow.id)).all())

    def architectures(self) -> dict[str, str]:
        """Return the canonical JSON of every architecture by key."""
        stored = select(ArchitectureRow.key, ArchitectureRow.content).where(ArchitectureRow.study_id == self.id)
        with self._database.read() as session:
            return dict(session.execute(stored.order_by(ArchitectureRow.id)).all())

    def measurements(self, *, quantity: str | None = None, target: str | None = None) -> list[tuple[str, Measurement]]:
        """Return (architecture key, measurement) in order of finishing; the key is "" where none was given.

        A value that was not finite comes back as NaN, a spread that was not as None.
        """
        row = MeasurementRow
        query = self._measured(
            _architecture_key, row.quantity, row.value, row.unit, row.obtained, row.spread, row.target, row.versions
        )
        if quantity is not None:
            query = query.where(row.quantity == quantity)
        if target is not None:
            query = query.where(row.target == target)
        with self._database.read() as session:
            return [
                (key, Measurement(name, math.nan if value is None else value, *rest))
                for key, name, value, *rest in session.execute(query)
            ]

    def evaluations(self, *, after: int = 0, limit: int = 100) -> list[Evaluation]:
        """Return the next evaluations after a sequence number, in order of finishing: a page of a list."""
        return read_page(self._database, self.id, after, limit)

    def values(self) -> pd.DataFrame:
        """Return every evaluation as one row of numbers, indexed by ``sequence`` (their order of finishing).

        The columns are ``quantity`` or ``quantity@target``, as the last evaluation has them; what is not there or not
        finite is NaN.
        """
        return read_values(self._database, self.id)

    def evaluated(self) -> list[tuple[str, str, str, str, Obtained, float | None]]:
        """Return (architecture's key, quantity, target, unit, obtained, value) of evaluations, in order of finishing.

        The value is None where it was not finite; evaluations without an architecture are left out.
        """
        row = MeasurementRow
        columns = (ArchitectureRow.key, row.quantity, row.target, row.unit, row.obtained, row.value)
        of_networks = (WorkRow.kind == EVALUATION, WorkRow.architecture_id.is_not(None))
        with self._database.read() as session:
            # Plain tuples: of 10^5 evaluations, rows with named fields take twice the time.
            return [tuple(found) for found in session.execute(self._measured(*columns).where(*of_networks))]

    def architectures_of(self, sequences: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return (key, canonical JSON) of the architecture by sequence number of evaluations."""
        return read_keys(self._database, self.id, sequences)

    def artifacts(self) -> list[Artifact]:
        """Return the artifacts by name."""
        stored = select(ArtifactRow).where(ArtifactRow.study_id == self.id).order_by(ArtifactRow.name)
        with self._database.read() as session:
            return [
                Artifact(row.name, row.path, row.sha256, row.num_bytes, moment(row.created_at))
                for row in session.scalars(stored)
            ]

    def frame(self) -> pd.DataFrame:
        """Return one row a measurement, in order of finishing; ``value`` is NaN where ``status`` is not ``finite``."""
        import pandas as pd

        with self._database.read() as session:
            rows = session.execute(self._measured(*FRAME.values())).all()
        kinds = {name: "float64" if name in ("value", "spread") else "str" for name in FRAME}
        return pd.DataFrame(rows, columns=list(FRAME)).astype(kinds)

    def _measured(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        # Columns, not rows as objects: a study may hold 10^5 measurements, and objects take several times as long.
        return (
            select(*columns)
            .select_from(MeasurementRow)
            .join(WorkRow, MeasurementRow.work_id == WorkRow.id)
            .outerjoin(ArchitectureRow, WorkRow.architecture_id == ArchitectureRow.id)
            .where(WorkRow.study_id == self.id)
            .order_by(WorkRow.sequence, MeasurementRow.id)
        )


_architecture_key = func.coalesce(ArchitectureRow.key, "")

FRAME = {
    "architecture": _architecture_key,
    "quantity": MeasurementRow.quantity,
    "target": MeasurementRow.target,
    "value": MeasurementRow.value,
    "spread": MeasurementRow.spread,
    "unit": MeasurementRow.unit,
    "obtained": MeasurementRow.obtained,
    "status": MeasurementRow.status,
    "kind": WorkRow.kind,
    "key": WorkRow.key,
}
