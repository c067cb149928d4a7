"""Studies as jobs: a queue, budgets, wishes, counters; tags, templates, events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

STATES = "'new', 'queued', 'running', 'paused', 'stopped', 'cancelled', 'done', 'failed', 'interrupted'"

studies = sa.table("studies", sa.column("id"), sa.column("num_evaluations"), sa.column("num_repeated"))
work = sa.table("work", *map(sa.column, ("study_id", "kind", "sequence", "attempts")))
sqlite_sequence = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))


def upgrade() -> None:
    """Add what the queue needs, and count what older studies did."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    last = _last_id() if sqlite else None
    # SQLite's own copy of the table drops its checks by itself.
    with op.batch_alter_table("studies", table_kwargs={"sqlite_autoincrement": True}) as table:
        if not sqlite:
            table.drop_constraint(op.f("ck_studies_state"), type_="check")
        for column in _columns():
            table.add_column(column)
        table.create_check_constraint(op.f("ck_studies_state"), f"state IN ({STATES})")
        table.create_check_constraint(op.f("ck_studies_wish"), "wish IN ('pause', 'stop')")
    if last is not None:
        # The copy knows the ids of the rows that are left; one of a deleted study must not come again.
        op.execute(sa.update(sqlite_sequence).where(sqlite_sequence.c.name == "studies").values(seq=last))
    op.create_index("ix_studies_queue", "studies", ["state", "priority", "queued_at"])
    _count()
    _tables()


def _last_id() -> int | None:
    last = sa.select(sqlite_sequence.c.seq).where(sqlite_sequence.c.name == "studies")
    found: int | None = op.get_bind().scalar(last)
    return found


def _count() -> None:
    mine = work.c.study_id == studies.c.id
    finished = mine & (work.c.kind == "evaluation") & work.c.sequence.is_not(None)
    evaluations = sa.select(sa.func.count()).select_from(work).where(finished).scalar_subquery()
    repeated = sa.select(sa.func.coalesce(sa.func.sum(work.c.attempts - 1), 0)).where(mine).scalar_subquery()
    op.execute(sa.update(studies).values(num_evaluations=evaluations, num_repeated=repeated))


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("wish", sa.String(8)),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("queued_at", sa.Double()),
        sa.Column("max_evaluations", sa.BigInteger()),
        sa.Column("max_hours", sa.Double()),
        sa.Column("used_s", sa.Double(), nullable=False, server_default="0"),
        sa.Column("num_evaluations", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("num_repeated", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
    ]


def _tables() -> None:
    op.create_table(
        "tags",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_tags_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "tag", name=op.f("pk_tags")),
    )
    op.create_index(op.f("ix_tags_tag"), "tags", ["tag"])
    op.create_table(
        "templates",
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_templates")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(512), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_study_id", "events", ["study", "id"])
