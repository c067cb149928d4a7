"""Studies, architectures, units of work, measurements and artifacts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("runner", sa.String(512)),
        sa.Column("host", sa.String(255)),
        sa.Column("pid", sa.Integer()),
        sa.Column("pid_started", sa.Double()),
        sa.Column("heartbeat_at", sa.Double()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "state IN ('new', 'running', 'done', 'failed', 'interrupted')", name=op.f("ck_studies_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("name", name=op.f("uq_studies_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "architectures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("space", sa.String(255), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_architectures_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_architectures")),
        sa.UniqueConstraint("study_id", "key", name=op.f("uq_architectures_study_id_key")),
    )
    op.create_table(
        "work",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer()),
        sa.Column("architecture_id", sa.Integer()),
        sa.Column("payload", sa.JSON()),
        sa.Column("begun_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        sa.CheckConstraint("attempts >= 1", name=op.f("ck_work_attempts")),
        sa.CheckConstraint("(sequence IS NULL) = (finished_at IS NULL)", name=op.f("ck_work_finished")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_work_study_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["architecture_id"], ["architectures.id"], name=op.f("fk_work_architecture_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("study_id", "kind", "key", name=op.f("uq_work_study_id_kind_key")),
        sa.UniqueConstraint("study_id", "sequence", name=op.f("uq_work_study_id_sequence")),
    )
    op.create_index(op.f("ix_work_architecture_id"), "work", ["architecture_id"])
    op.create_table(
        "measurements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.String(255), nullable=False),
        sa.Column("target", sa.String(255), nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("obtained", sa.String(16), nullable=False),
        sa.Column("spread", sa.Double()),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "obtained IN ('measured', 'predicted', 'analytic', 'table')", name=op.f("ck_measurements_obtained")
        ),
        sa.CheckConstraint("status IN ('finite', 'nan', 'inf', '-inf')", name=op.f("ck_measurements_status")),
        sa.CheckConstraint("(value IS NULL) = (status <> 'finite')", name=op.f("ck_measurements_value")),
        sa.ForeignKeyConstraint(["work_id"], ["work.id"], name=op.f("fk_measurements_work_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurements")),
    )
    op.create_index(op.f("ix_measurements_work_id"), "measurements", ["work_id"])
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("num_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_artifacts_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_artifacts_study_id_name")),
    )
