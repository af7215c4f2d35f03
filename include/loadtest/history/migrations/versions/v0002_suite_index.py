"""The runs of a suite are found by an index."""

import logging

from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "loadtest"
INDEX = "run_suite_run_id_started"
LOG = logging.getLogger("loadtest")


def upgrade() -> None:
    """Add the index; no row changes."""
    op.create_index(INDEX, "run", ["suite_run_id", "started"], schema=SCHEMA)


def downgrade() -> None:
    """Drop the index; no row is lost."""
    LOG.warning("history: version 0001 has no index for the runs of a suite; all rows are kept")
    op.drop_index(INDEX, "run", schema=SCHEMA)
