"""Locks have a fencing token, targets a queue, and the history knows since when it is kept."""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = "loadtest"
LOG = logging.getLogger("loadtest")


def upgrade() -> None:
    """Give each lock that is there the first token; of an older history its first run says since when it is kept."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "target_token",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "target_waiter",
        sa.Column("ticket", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("target_waiter_target_owner", "target_waiter", ["target", "owner"], unique=True, schema=SCHEMA)
    op.create_table(
        "installation",
        sa.Column("installed_at", moment, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.add_column("target_lock", sa.Column("token", sa.BigInteger, nullable=False, server_default="1"), schema=SCHEMA)
    op.alter_column("target_lock", "token", server_default=None, schema=SCHEMA)
    op.execute(f"INSERT INTO {SCHEMA}.target_token SELECT target, token FROM {SCHEMA}.target_lock")  # noqa: S608
    op.execute(
        f"INSERT INTO {SCHEMA}.installation SELECT coalesce(min(inserted_at), now()) FROM {SCHEMA}.run"  # noqa: S608
    )


def downgrade() -> None:
    """Drop tokens, queues and the time of the installation; locks, runs and metrics stay."""
    waiters = op.get_bind().scalar(sa.select(sa.func.count()).select_from(sa.table("target_waiter", schema=SCHEMA)))
    LOG.warning("history: version 0003 has no queues and no tokens; %d waiters lose their place, locks stay", waiters)
    op.drop_column("target_lock", "token", schema=SCHEMA)
    for table in ("installation", "target_waiter", "target_token"):
        op.drop_table(table, schema=SCHEMA)
