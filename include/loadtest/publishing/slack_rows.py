"""Outbox rows for Slack: a message of its own, a reply in its thread, a file in it. `slack_delivery` delivers them."""

from collections.abc import Mapping
from datetime import datetime

from include.loadtest.history.outbox import Delivery
from include.loadtest.publishing.message import Message


def message_key(run_id: str) -> str:
    """The row of the message of a run or a suite; its replies share the lane of this name."""
    return f"slack/run/{run_id}"


def message_row(
    key: str,
    subject: str,
    message: Message,
    *,
    final: bool = True,
    issues_of: str | None = None,
    calls: bool = False,
    expires: datetime | None = None,
) -> Delivery:
    """The row of a message; put again, it says what is told now in place of what was.

    `final`: a webhook, which can change nothing, gets it; `issues_of`: links to this run's issues are put into it when
    it is delivered; `calls`: a reply calls people for it, or it calls them itself where it is sent without one.
    """
    payload = {**message.payload(), "issues_of": issues_of, "final": final, "calls": calls}
    return Delivery(key, "slack", "slack_message", key, subject, payload, expires)


def reply_row(run_id: str, name: str, message: Message, *, expires: datetime | None = None) -> Delivery:
    """The row of a reply in the thread of a run's message, told apart from its other replies by `name`."""
    parent = message_key(run_id)
    payload = {"parent": parent, **message.payload()}
    return Delivery(f"{parent}/{name}", "slack", "slack_reply", parent, run_id, payload, expires)


def file_row(run_id: str, name: str, file: Mapping[str, str]) -> Delivery:
    """The row of a file in that thread; `file`: its bundle_uri, name, title and alt. Nobody waits for its own lane."""
    parent = message_key(run_id)
    key = f"{parent}/{name}"
    return Delivery(key, "slack", "slack_file", key, run_id, {"parent": parent, **file})
