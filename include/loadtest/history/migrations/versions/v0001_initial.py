"""Runs, their metrics, and the locks of targets."""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

SCHEMA = "loadtest"
LOG = logging.getLogger("loadtest")


def upgrade() -> None:
    """Create the tables of release 0.1.0."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("suite", sa.Text),
        sa.Column("suite_run_id", sa.Text),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("ended", moment),
        sa.Column("comparability_key", sa.Text, nullable=False),
        sa.Column("comparability", JSONB, nullable=False),
        sa.Column("environment", JSONB, nullable=False),
        sa.Column("bundle_uri", sa.Text, nullable=False),
        sa.Column("inserted_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", moment, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_index("run_comparability_key_started", "run", ["comparability_key", "started"], schema=SCHEMA)
    op.create_index("run_profile_started", "run", ["profile", "started"], schema=SCHEMA)
    op.create_table(
        "metric",
        sa.Column("run_id", sa.Text, sa.ForeignKey(f"{SCHEMA}.run.run_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("metric", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("phase", sa.Text, primary_key=True),
        sa.Column("value", sa.Double),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("ci_low", sa.Double),
        sa.Column("ci_high", sa.Double),
        sa.Column("direction", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "target_lock",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("acquired", moment, nullable=False),
        sa.Column("expires", moment, nullable=False),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop the tables, with what is in them; the log says how many rows."""
    tables = ("target_lock", "metric", "run")
    counts = [
        op.get_bind().scalar(sa.select(sa.func.count()).select_from(sa.table(name, schema=SCHEMA))) for name in tables
    ]
    rows = ", ".join(f"{count} of {name}" for name, count in zip(tables, counts, strict=True))
    LOG.warning("history: all tables are removed with their rows: %s; the runs' bundles are kept", rows)
    for table in tables:
        op.drop_table(table, schema=SCHEMA)
