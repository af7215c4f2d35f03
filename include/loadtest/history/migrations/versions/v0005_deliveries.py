"""The outbox of deliveries to Slack and GitHub, and the tickets with what each run meant for them."""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

SCHEMA = "loadtest"
LOG = logging.getLogger("loadtest")
MOMENT = sa.DateTime(timezone=True)
NOW = sa.func.now()


def upgrade() -> None:
    """Create the three tables; no row of the others changes."""
    _create_delivery()
    _create_tickets()


def downgrade() -> None:
    """Drop the tables, with what is in them; the log says how many rows, and how many were still to be delivered."""
    delivery = sa.table("delivery", sa.column("version"), sa.column("delivered_version"), sa.column("given_up_at"))
    delivery.schema = SCHEMA
    columns = delivery.c
    waits = (columns.version > columns.delivered_version, columns.given_up_at.is_(None))
    waiting = op.get_bind().scalar(sa.select(sa.func.count()).select_from(delivery).where(*waits))
    tables = ("ticket_event", "ticket", "delivery")
    counts = [
        op.get_bind().scalar(sa.select(sa.func.count()).select_from(sa.table(name, schema=SCHEMA))) for name in tables
    ]
    rows = ", ".join(f"{count} of {name}" for name, count in zip(tables, counts, strict=True))
    LOG.warning(
        "history: version 0004 has no deliveries and no tickets, they are removed: %s; "
        "%d deliveries had not arrived and will not; all runs are kept",
        rows,
        waiting,
    )
    for table in tables:
        op.drop_table(table, schema=SCHEMA)


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("origin", sa.Text, nullable=False, server_default=""),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("key", "service", "kind", "lane", "subject")),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("delivered_version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("receipt", JSONB),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("may_have_arrived", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("next_attempt", MOMENT, nullable=False, server_default=NOW),
        sa.Column("not_before", MOMENT),
        sa.Column("expires", MOMENT),
        sa.Column("last_error", sa.Text),
        sa.Column("created", MOMENT, nullable=False, server_default=NOW),
        sa.Column("updated", MOMENT, nullable=False, server_default=NOW),
        sa.Column("delivered_at", MOMENT),
        sa.Column("given_up_at", MOMENT),
        sa.CheckConstraint("service IN ('slack', 'github')", name="delivery_service"),
        schema=SCHEMA,
    )
    op.create_index("delivery_key", "delivery", ["origin", "key"], unique=True, schema=SCHEMA)
    op.create_index("delivery_subject", "delivery", ["subject"], schema=SCHEMA)
    told = sa.text("not_before IS NOT NULL")
    op.create_index("delivery_not_before", "delivery", ["service", "not_before"], postgresql_where=told, schema=SCHEMA)
    waiting = sa.text("version > delivered_version AND given_up_at IS NULL")
    op.create_index("delivery_waiting", "delivery", ["lane", "id"], postgresql_where=waiting, schema=SCHEMA)


def _create_tickets() -> None:
    names = ("profile", "scope", "metric", "direction", "target", "state")
    op.create_table(
        "ticket",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in names),
        sa.Column("generation", sa.Integer, nullable=False, server_default="1"),
        sa.Column("number", sa.Integer),
        sa.Column("url", sa.Text),
        sa.Column("repository", sa.Text),
        sa.Column("covers", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("clean_runs", sa.Integer, nullable=False, server_default="0"),
        sa.Column("opened_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("closed_at", MOMENT),
        sa.Column("last_bad_run_id", sa.Text),
        sa.Column("last_bad_started", MOMENT),
        sa.Column("updated", MOMENT, nullable=False, server_default=NOW),
        sa.CheckConstraint("state IN ('open', 'closed')", name="ticket_state"),
        schema=SCHEMA,
    )
    ticket = sa.ForeignKey(f"{SCHEMA}.ticket.fingerprint", ondelete="CASCADE")
    op.create_table(
        "ticket_event",
        sa.Column("fingerprint", sa.Text, ticket, primary_key=True),
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        schema=SCHEMA,
    )
