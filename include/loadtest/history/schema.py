"""The tables. Migrations create them; this is what queries use, and a test holds both equal."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "loadtest"
metadata = MetaData(schema=SCHEMA)

RUN = Table(
    "run",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("suite", Text),
    Column("suite_run_id", Text),
    Column("profile", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("ended", DateTime(timezone=True)),
    Column("comparability_key", Text, nullable=False),
    Column("comparability", JSONB, nullable=False),
    Column("environment", JSONB, nullable=False),
    Column("bundle_uri", Text, nullable=False),
    Column("inserted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("run_comparability_key_started", "comparability_key", "started"),
    Index("run_profile_started", "profile", "started"),
    Index("run_suite_run_id_started", "suite_run_id", "started"),
)

METRIC = Table(
    "metric",
    metadata,
    Column("run_id", Text, ForeignKey(RUN.c.run_id, ondelete="CASCADE"), primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("value", Double),
    Column("unit", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("ci_low", Double),
    Column("ci_high", Double),
    Column("direction", Text, nullable=False),
)

TARGET_LOCK = Table(
    "target_lock",
    metadata,
    Column("target", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("acquired", DateTime(timezone=True), nullable=False),
    Column("expires", DateTime(timezone=True), nullable=False),
    Column("token", BigInteger, nullable=False),
)

TARGET_TOKEN = Table(
    "target_token",
    metadata,
    Column("target", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
)

TARGET_WAITER = Table(
    "target_waiter",
    metadata,
    Column("ticket", BigInteger, Identity(always=True), primary_key=True),
    Column("target", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("last_seen", DateTime(timezone=True), nullable=False),
    Index("target_waiter_target_owner", "target", "owner", unique=True),
)

INSTALLATION = Table(
    "installation",
    metadata,
    Column("installed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

BASELINE = Table(
    "baseline",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("comparability_key", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("status", Text, nullable=False),
    *(
        column
        for step in ("proposed", "pinned", "retired")
        for column in (
            Column(f"{step}_at", DateTime(timezone=True)),
            Column(f"{step}_by", Text),
            Column(f"{step}_reason", Text),
        )
    ),
    CheckConstraint("status IN ('proposed', 'pinned', 'retired')", name="baseline_status"),
    Index("baseline_one_pinned", "comparability_key", unique=True, postgresql_where=text("status = 'pinned'")),
)

BASELINE_RUN = Table(
    "baseline_run",
    metadata,
    Column("baseline_id", BigInteger, ForeignKey(BASELINE.c.id, ondelete="CASCADE"), primary_key=True),
    Column("run_id", Text, ForeignKey(RUN.c.run_id), primary_key=True),
)

INTENDED_CHANGE = Table(
    "intended_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("target", Text, nullable=False),
    Column("profile", Text),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("marked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("marked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("intended_change_target_since", "target", "since"),
)

DELIVERY = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("origin", Text, nullable=False, server_default=""),
    Column("key", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("delivered_version", Integer, nullable=False, server_default="0"),
    Column("receipt", JSONB(none_as_null=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("may_have_arrived", Boolean, nullable=False, server_default=text("false")),
    Column("next_attempt", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("not_before", DateTime(timezone=True)),
    Column("expires", DateTime(timezone=True)),
    Column("last_error", Text),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("delivered_at", DateTime(timezone=True)),
    Column("given_up_at", DateTime(timezone=True)),
    CheckConstraint("service IN ('slack', 'github')", name="delivery_service"),
    Index("delivery_key", "origin", "key", unique=True),
    Index("delivery_subject", "subject"),
    Index("delivery_not_before", "service", "not_before", postgresql_where=text("not_before IS NOT NULL")),
    Index(
        "delivery_waiting", "lane", "id", postgresql_where=text("version > delivered_version AND given_up_at IS NULL")
    ),
)

TICKET = Table(
    "ticket",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("generation", Integer, nullable=False, server_default="1"),
    Column("number", Integer),
    Column("url", Text),
    Column("repository", Text),
    Column("covers", JSONB, nullable=False, server_default=text("'[]'")),
    Column("clean_runs", Integer, nullable=False, server_default="0"),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("closed_at", DateTime(timezone=True)),
    Column("last_bad_run_id", Text),
    Column("last_bad_started", DateTime(timezone=True)),
    Column("updated", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("state IN ('open', 'closed')", name="ticket_state"),
)

TICKET_EVENT = Table(
    "ticket_event",
    metadata,
    Column("fingerprint", Text, ForeignKey(TICKET.c.fingerprint, ondelete="CASCADE"), primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
