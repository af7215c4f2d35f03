"""Rows for Slack: which key and lane they have, and what a handler finds in them."""

from datetime import UTC, datetime

import pytest

from include.loadtest.publishing.message import notice
from include.loadtest.publishing.slack_rows import file_row, message_key, message_row, reply_row

pytestmark = pytest.mark.unit
MESSAGE = notice("smoke", "it has ended", None)
MOMENT = datetime(2026, 11, 29, tzinfo=UTC)


def test_a_message_has_a_lane_of_its_own() -> None:
    """It is final unless it is said not to be, and calls nobody by itself."""
    row = message_row("slack/fault/x", "dag/run", MESSAGE, expires=MOMENT)
    assert (row.key, row.lane, row.kind, row.subject, row.expires) == (
        *("slack/fault/x", "slack/fault/x", "slack_message", "dag/run"),
        MOMENT,
    )
    assert {name: row.payload[name] for name in ("issues_of", "final", "calls")} == {
        "issues_of": None,
        "final": True,
        "calls": False,
    }
    assert (row.payload["text"], row.payload["blocks"]) == (MESSAGE.text, list(MESSAGE.blocks))


def test_a_reply_waits_for_its_message_and_nobody_for_a_file() -> None:
    """Replies are in the message's lane, the plot is in none that others are in."""
    parent = message_key("smoke-1")
    reply = reply_row("smoke-1", "bottleneck", MESSAGE)
    assert (reply.key, reply.lane, reply.payload["parent"]) == (f"{parent}/bottleneck", parent, parent)
    file = file_row("smoke-1", "plot", {"name": "load_test_plot.png"})
    assert (file.key, file.lane, file.payload) == (
        f"{parent}/plot",
        f"{parent}/plot",
        {"parent": parent, "name": "load_test_plot.png"},
    )
