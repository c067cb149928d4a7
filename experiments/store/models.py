"""The tables. A study has units of work; a finished unit may concern an architecture and hold measurements.

``experiments.store.states`` says what the states of a study mean.

Times are seconds since 1970 by the database's clock, in double precision, so that they are compared and subtracted in
the same way on SQLite and PostgreSQL. A change here needs a migration: a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.expression import FunctionElement

MAX_NAME = 512
STATES = ("new", "queued", "running", "paused", "stopped", "cancelled", "done", "failed", "interrupted")


class epoch_seconds(FunctionElement[float]):  # noqa: N801 - reads as the SQL function that it is
    """Seconds since 1970 by the database's clock, at the moment and not at the start of the transaction."""

    type = Double()
    inherit_cache = True


@compiles(epoch_seconds, "sqlite")
def _sqlite_clock(_element: Any, _compiler: Any, **_options: Any) -> str:
    # unixepoch('subsec') is younger (3.42) than the SQLite of Debian 12.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch_seconds, "postgresql")
def _postgresql_clock(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


class Base(DeclarativeBase):
    """The root of the tables; constraints have names, so that a migration can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class StudyRow(Base):
    """A study, who runs it, and its place in the queue.

    ``fence`` counts the takings (and cancellings): a writer with an older number is refused. ``wish`` is what a live
    runner is asked to do before it begins more work. The two counters are kept with each unit of work, since counting
    the rows of large studies would take seconds.
    """

    __tablename__ = "studies"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name="state"),
        CheckConstraint("wish IN ('pause', 'stop')", name="wish"),
        Index("ix_studies_queue", "state", "priority", "queued_at"),
        # Without it SQLite gives the id of a deleted study to the next one, and a late runner would write into that.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    settings: Mapped[Any] = mapped_column(JSON)
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), default="new")
    fence: Mapped[int] = mapped_column(default=0)
    runner: Mapped[str | None] = mapped_column(String(MAX_NAME))
    host: Mapped[str | None] = mapped_column(String(255))
    pid: Mapped[int | None]
    pid_started: Mapped[float | None] = mapped_column(Double)
    heartbeat_at: Mapped[float | None] = mapped_column(Double)
    wish: Mapped[str | None] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text, default="")
    priority: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[float | None] = mapped_column(Double)
    max_evaluations: Mapped[int | None] = mapped_column(BigInteger)
    max_hours: Mapped[float | None] = mapped_column(Double)
    used_s: Mapped[float] = mapped_column(Double, default=0.0)
    num_evaluations: Mapped[int] = mapped_column(BigInteger, default=0)
    num_repeated: Mapped[int] = mapped_column(BigInteger, default=0)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[float] = mapped_column(Double, default=epoch_seconds())
    updated_at: Mapped[float] = mapped_column(Double, default=epoch_seconds())


class TagRow(Base):
    """A word that a person put on a study."""

    __tablename__ = "tags"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class TemplateRow(Base):
    """Settings that studies are submitted from, by name."""

    __tablename__ = "templates"

    name: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    settings: Mapped[Any] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[float] = mapped_column(Double, default=epoch_seconds())


class EventRow(Base):
    """What happened to a study as a whole. It outlives the study, so it has the name and no key of it."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_study_id", "study", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str] = mapped_column(String(MAX_NAME))
    at: Mapped[float] = mapped_column(Double, default=epoch_seconds())
    event: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(Text, default="")


class ArchitectureRow(Base):
    """An architecture of a study, as canonical JSON."""

    __tablename__ = "architectures"
    __table_args__ = (UniqueConstraint("study_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    space: Mapped[str] = mapped_column(String(255))
    content: Mapped[str] = mapped_column(Text)


class WorkRow(Base):
    """A unit of work: begun ``attempts`` times, finished once. ``sequence`` is its place among the finished ones."""

    __tablename__ = "work"
    __table_args__ = (
        UniqueConstraint("study_id", "kind", "key"),
        UniqueConstraint("study_id", "sequence"),
        CheckConstraint("attempts >= 1", name="attempts"),
        CheckConstraint("(sequence IS NULL) = (finished_at IS NULL)", name="finished"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(MAX_NAME))
    attempts: Mapped[int] = mapped_column(default=1)
    sequence: Mapped[int | None]
    architecture_id: Mapped[int | None] = mapped_column(ForeignKey("architectures.id", ondelete="CASCADE"), index=True)
    payload: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    begun_at: Mapped[float] = mapped_column(Double, default=epoch_seconds())
    finished_at: Mapped[float | None] = mapped_column(Double)


class MeasurementRow(Base):
    """A measurement of a finished unit of work; a value that is not finite is NULL, and ``status`` says which."""

    __tablename__ = "measurements"
    __table_args__ = (
        CheckConstraint("obtained IN ('measured', 'predicted', 'analytic', 'table')", name="obtained"),
        CheckConstraint("status IN ('finite', 'nan', 'inf', '-inf')", name="status"),
        CheckConstraint("(value IS NULL) = (status <> 'finite')", name="value"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    work_id: Mapped[int] = mapped_column(ForeignKey("work.id", ondelete="CASCADE"), index=True)
    quantity: Mapped[str] = mapped_column(String(255))
    target: Mapped[str] = mapped_column(String(255))
    value: Mapped[float | None] = mapped_column(Double)
    status: Mapped[str] = mapped_column(String(8))
    unit: Mapped[str] = mapped_column(String(64))
    obtained: Mapped[str] = mapped_column(String(16))
    spread: Mapped[float | None] = mapped_column(Double)
    versions: Mapped[Any] = mapped_column(JSON)


class ArtifactRow(Base):
    """A file that a study made."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("study_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[float] = mapped_column(Double, default=epoch_seconds())
