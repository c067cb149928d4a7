"""A study: one runner at a time takes it, and commits its work unit by unit.

The runner takes the study with one guarded UPDATE that also raises a number, the fence. Every later write starts by
renewing the heartbeat where the fence is still this runner's: a runner that was stopped for longer than the lease, and
whose study another one took, changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from experiments.store.engine import Database
from experiments.store.models import ArchitectureRow, ArtifactRow, MeasurementRow, StudyRow, WorkRow, epoch_seconds
from experiments.store.records import Records
from experiments.store.runner import beating, held_by, identity, is_free
from experiments.store.values import encode, status
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.errors import ConflictError, NasError, StorageError

log = logging.getLogger(__name__)
Ended = Literal["done", "failed", "interrupted"]


class Fenced(ConflictError):  # noqa: N818 - a word of the design: a late runner is fenced out
    """Another runner took the study (or it was deleted): this runner may write no more.

    It ends with exit code 0: what it finished is kept, and the study is in other hands.
    """

    exit_code = 0


class Study(Records):
    """One study. Reading needs no runner; ``begin``, ``finish`` and ``add_artifact`` need ``take``.

    Every method commits at once. All of them raise StorageError when the database fails, and those that write raise
    ConflictError when the study is not taken, Fenced when it was lost to another runner.
    """

    def __init__(self, database: Database, row: StudyRow, lease_s: float) -> None:
        super().__init__(database, row, lease_s)
        self._fence: int | None = None

    # -- one runner at a time ---------------------------------------------------------------------------------------

    def take(self, runner: str) -> None:
        """Become the study's runner.

        Raises:
            ConflictError: a live runner holds it, or it was deleted.
        """
        with self._database.write() as session:
            row = session.get(StudyRow, self.id)
            if row is None:
                raise ConflictError(f"study {self.name!r} was deleted: make it again")
            values = {"runner": runner, "state": "running", "fence": StudyRow.fence + 1, **identity(), **_now()}
            taken = update(StudyRow).where(is_free(row, self._lease_s)).values(values).returning(StudyRow.fence)
            fence = session.scalar(taken, execution_options={"synchronize_session": False})
            if fence is None:
                session.refresh(row)
                raise held_by(row, session.scalars(select(epoch_seconds())).one(), self._lease_s)
        self._fence = fence

    def heartbeat(self) -> None:
        """Renew this runner's lease on the database's clock.

        Raises:
            Fenced: another runner took the study.
        """
        with self._database.write() as session:
            self._guard(session)

    def release(self, state: Ended) -> None:
        """Stop being the study's runner and leave it in ``state``."""
        with self._database.write() as session:
            free = dict.fromkeys(("runner", "host", "pid", "pid_started", "heartbeat_at"))
            self._guard(session, **{**_now(), **free, "state": state})
        self._fence = None

    @contextmanager
    def held(self, runner: str) -> Iterator[Study]:
        """Take the study, renew the lease in a thread while the body runs, and release it.

        It is left ``done``, ``failed`` after an exception, ``interrupted`` after KeyboardInterrupt or SystemExit.
        """
        self.take(runner)
        try:
            with beating(self.heartbeat, self._lease_s / 4):
                yield self
        except Fenced:
            raise
        except Exception:
            self._give_up("failed")
            raise
        except BaseException:
            self._give_up("interrupted")
            raise
        self.release("done")

    def _give_up(self, state: Ended) -> None:
        try:
            self.release(state)
        except NasError as error:
            # The body's own error goes on; the lease runs out by itself.
            log.warning("%s", error)

    def _guard(self, session: Session, **values: Any) -> None:
        """Renew the lease and set ``values`` if the fence is still this runner's; on PostgreSQL this locks the row."""
        if self._fence is None:
            raise ConflictError(f"study {self.name!r} is not taken by this runner: take it first")
        mine = update(StudyRow).where(StudyRow.id == self.id, StudyRow.fence == self._fence)
        renewed = mine.values({"heartbeat_at": epoch_seconds(), **values}).returning(StudyRow.id)
        if session.scalar(renewed, execution_options={"synchronize_session": False}) is None:
            raise self._fenced(session)

    def _fenced(self, session: Session) -> Fenced:
        row = session.get(StudyRow, self.id)
        what = "was deleted" if row is None else f"was taken over by runner {row.runner!r} on host {row.host}"
        return Fenced(f"study {self.name!r} {what}: this runner's write was refused; what it finished before is kept")

    # -- units of work ----------------------------------------------------------------------------------------------

    def begin(self, kind: str, key: str) -> int:
        """Note that the work ``key`` of ``kind`` starts, and return how often it has."""
        with self._database.write() as session:
            self._guard(session, updated_at=epoch_seconds())
            work = self._work(session, kind, key)
            if work is None:
                session.add(WorkRow(study_id=self.id, kind=kind, key=key))
                return 1
            work.attempts += 1
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


def _now() -> dict[str, Any]:
    return {"heartbeat_at": epoch_seconds(), "updated_at": epoch_seconds()}


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
