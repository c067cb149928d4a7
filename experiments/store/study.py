"""A study: its runner commits the work unit by unit."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from experiments.store.holding import Holding
from experiments.store.models import ArchitectureRow, ArtifactRow, MeasurementRow, StudyRow, WorkRow, epoch_seconds
from experiments.store.states import EVALUATION, check_may_begin
from experiments.store.values import encode, status
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.errors import ConflictError, StorageError


class Study(Holding):
    """One study. Reading needs no runner; ``begin``, ``finish`` and ``add_artifact`` need ``take``.

    Every method commits at once. All of them raise StorageError when the database fails, and those that write raise
    ConflictError when the study is not taken, Fenced when it was lost to another runner.
    """

    # -- units of work ----------------------------------------------------------------------------------------------

    def begin(self, kind: str, key: str) -> int:
        """Note that the work ``key`` of ``kind`` starts, and return how often it has.

        Raises:
            Halted: a person asked the study to pause or stop, or its budget is spent: begin nothing more.
        """
        with self._database.write() as session:
            row = self._guard(session, updated_at=epoch_seconds())
            check_may_begin(row, kind)
            work = self._work(session, kind, key)
            if work is None:
                session.add(WorkRow(study_id=self.id, kind=kind, key=key))
                return 1
            work.attempts += 1
            self._count(session, num_repeated=1)
            return work.attempts

    def finish(
        self,
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        measurements: Sequence[Measurement] = (),
        architecture: Architecture | None = None,
    ) -> None:
        """Store what the work gave, all or nothing; what was finished before stays as it is.

        Args:
            kind: as given to ``begin``.
            key: as given to ``begin``.
            payload: JSON values, and NaN and infinities.
            measurements: stored as they are; a value that is not finite as NULL and a status.
            architecture: the network that the work and its measurements concern.

        Raises:
            ConflictError: the work was not begun.
            UsageError: the payload holds what is no JSON value.
        """
        content = encode(payload, "payload")
        with self._database.write() as session:
            self._guard(session, updated_at=epoch_seconds())
            work = self._work(session, kind, key)
            if work is None:
                raise ConflictError(f"{kind} {key!r} of study {self.name!r} was not begun: begin it first")
            if work.sequence is not None:
                return
            last = session.scalar(select(func.max(WorkRow.sequence)).where(WorkRow.study_id == self.id))
            work.sequence = (last or 0) + 1
            work.finished_at = epoch_seconds()
            work.payload = content
            work.architecture_id = self._architecture(session, architecture)
            session.add_all(_measurement_row(work.id, measurement) for measurement in measurements)
            if kind == EVALUATION:
                self._count(session, num_evaluations=1)

    def _count(self, session: Session, **more: int) -> None:
        counters = {name: getattr(StudyRow, name) + number for name, number in more.items()}
        session.execute(
            update(StudyRow).where(StudyRow.id == self.id).values(counters),
            execution_options={"synchronize_session": False},
        )

    def _work(self, session: Session, kind: str, key: str) -> WorkRow | None:
        return session.scalar(
            select(WorkRow).where(WorkRow.study_id == self.id, WorkRow.kind == kind, WorkRow.key == key)
        )

    def _architecture(self, session: Session, architecture: Architecture | None) -> int | None:
        if architecture is None:
            return None
        same = (ArchitectureRow.study_id == self.id, ArchitectureRow.key == architecture.key)
        found = session.scalar(select(ArchitectureRow.id).where(*same))
        if found is not None:
            return found
        row = ArchitectureRow(
            study_id=self.id, key=architecture.key, space=architecture.space, content=architecture.to_json()
        )
        session.add(row)
        session.flush()
        return row.id

    # -- files ------------------------------------------------------------------------------------------------------

    def add_artifact(self, name: str, path: Path, *, root: Path | None = None) -> None:
        """Note a file that the study made, with its size and SHA-256; the same name again replaces it.

        Args:
            name: what it is, unique in the study.
            path: the file, complete and in its final place.
            root: the folder that the stored path is relative to; the current one when None.

        Raises:
            StorageError: the file can't be read.
        """
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                num_bytes = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise StorageError(f"artifact {name!r}: {path} can't be read ({error.strerror}): write it first") from None
        relative = Path(os.path.relpath(path.absolute(), (root or Path()).absolute())).as_posix()
        with self._database.write() as session:
            self._guard(session, updated_at=epoch_seconds())
            same = (ArtifactRow.study_id == self.id, ArtifactRow.name == name)
            row = session.scalar(select(ArtifactRow).where(*same)) or ArtifactRow(study_id=self.id, name=name)
            row.path, row.sha256, row.num_bytes, row.created_at = relative, sha256, num_bytes, epoch_seconds()
            session.add(row)


def _measurement_row(work_id: int, measurement: Measurement) -> MeasurementRow:
    finite = math.isfinite(measurement.value)
    spread = measurement.spread
    return MeasurementRow(
        work_id=work_id,
        quantity=measurement.quantity,
        target=measurement.target,
        value=measurement.value if finite else None,
        status=status(measurement.value),
        unit=measurement.unit,
        obtained=measurement.obtained,
        spread=spread if spread is not None and math.isfinite(spread) else None,
        versions=dict(measurement.versions),
    )
