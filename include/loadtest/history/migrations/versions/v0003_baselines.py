"""Pinned sets of runs, and marks of intended changes."""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = "loadtest"
LOG = logging.getLogger("loadtest")


def upgrade() -> None:
    """Create the three tables; no row of the others changes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "baseline",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("comparability_key", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("proposed_at", moment),
        sa.Column("proposed_by", sa.Text),
        sa.Column("proposed_reason", sa.Text),
        sa.Column("pinned_at", moment),
        sa.Column("pinned_by", sa.Text),
        sa.Column("pinned_reason", sa.Text),
        sa.Column("retired_at", moment),
        sa.Column("retired_by", sa.Text),
        sa.Column("retired_reason", sa.Text),
        sa.CheckConstraint("status IN ('proposed', 'pinned', 'retired')", name="baseline_status"),
        schema=SCHEMA,
    )
    op.create_index(
        "baseline_one_pinned",
        "baseline",
        ["comparability_key"],
        unique=True,
        postgresql_where=sa.text("status = 'pinned'"),
        schema=SCHEMA,
    )
    op.create_table(
        "baseline_run",
        sa.Column(
            "baseline_id", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.baseline.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("run_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.run.run_id"), primary_key=True),
        schema=SCHEMA,
    )
    op.create_table(
        "intended_change",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("profile", sa.Text),
        sa.Column("since", moment, nullable=False),
        sa.Column("marked_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("marked_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("intended_change_target_since", "intended_change", ["target", "since"], schema=SCHEMA)


def downgrade() -> None:
    """Drop the tables, with what is in them; the log says how many rows. Runs and metrics stay."""
    tables = ("intended_change", "baseline_run", "baseline")
    counts = [
        op.get_bind().scalar(sa.select(sa.func.count()).select_from(sa.table(name, schema=SCHEMA))) for name in tables
    ]
    rows = ", ".join(f"{count} of {name}" for name, count in zip(tables, counts, strict=True))
    LOG.warning("history: version 0002 has no baselines, they are removed: %s; all runs are kept", rows)
    for table in tables:
        op.drop_table(table, schema=SCHEMA)
