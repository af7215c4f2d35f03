"""What becomes of an outbox row that is for Slack: a message, a reply in its thread, or a file in it."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from include.loadtest.history import outbox
from include.loadtest.history.outbox import Row
from include.loadtest.publishing.delivery import Budget, DeliveryError, Handler
from include.loadtest.publishing.message_parts import Message, called, noted, text_name, with_issues
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.slack_answers import SlackRefusedError, UnreadError
from include.loadtest.publishing.slack_client import EVENT_TYPE, Place, SlackClient

LOG = logging.getLogger("loadtest")
IssuesOf = Callable[[str], Sequence[tuple[int, str]]]
"""From a run_id to the numbers and addresses of its issues."""
ReadFile = Callable[[str, str], bytes | None]
"""From a bundle's URI and a file's name to its content; None where it is not there."""
SENT_AGAIN = "(sent again: the first try was not confirmed)"
_NO_LONGER_OURS = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found", "is_archived"}
)
"""Deleted by a person, of another token, or in a channel that is no longer used: there will be a new message."""
_NO_THREAD = frozenset({"thread_not_found", "message_not_found", "invalid_thread_ts", "cannot_reply_to_message"})


def slack_handlers(
    settings: SlackSettings, *, engine: Engine, issues_of: IssuesOf, read_file: ReadFile
) -> dict[str, Handler]:
    """The handlers of the kinds `slack_message`, `slack_reply` and `slack_file`."""
    slack = _Slack(settings, engine, issues_of, read_file)
    return {"slack_message": slack.message, "slack_reply": slack.reply, "slack_file": slack.file}


def send_once(settings: SlackSettings, payload: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """Send a message that has no row, and no reply; returns where it is, {} by a webhook. Raises DeliveryError.

    Whom its thread would have called (`calls`), it calls itself.
    """
    client, message = SlackClient(settings, budget), Message.of(payload)
    if settings.is_webhook:
        client.send_by_webhook(message)
        return {}
    return _receipt(client.post(called(message, settings.mentions) if payload.get("calls") else message))


@dataclass(frozen=True)
class _Slack:
    settings: SlackSettings
    engine: Engine
    issues_of: IssuesOf
    read_file: ReadFile

    def message(self, row: Row, budget: Budget) -> Mapping[str, Any]:
        """Post the row's message, or change the one that it was before."""
        content = Message.of(row.payload)
        client = SlackClient(self.settings, budget)
        if self.settings.is_webhook:
            return _by_webhook(client, row, content)
        if row.payload.get("issues_of"):
            content = with_issues(content, self.issues_of(row.payload["issues_of"]))
        return self._put(client, row, content, None)

    def reply(self, row: Row, budget: Budget) -> Mapping[str, Any]:
        """The same below the row's parent; on its own where the parent is not there, since people are to see it."""
        self._refuse_webhook()
        parent = _place(outbox.receipt_of(self.engine, row.payload["parent"]))
        client, content = SlackClient(self.settings, budget), Message.of(row.payload)
        try:
            return self._put(client, row, content, parent)
        except SlackRefusedError as refused:
            if refused.code not in _NO_THREAD:
                raise
        return _receipt(client.post(content, key=row.key))

    def file(self, row: Row, budget: Budget) -> Mapping[str, Any]:
        """Put the row's file into its parent's thread, once; both may be there later."""
        self._refuse_webhook()
        if row.receipt.get("file"):
            return {}
        name, title = row.payload["name"], row.payload["title"]
        parent = outbox.receipt_of(self.engine, row.payload["parent"])
        thread = _place(parent)
        if thread is None:  # a message that a webhook has sent is known to nobody
            text = f"{name} has no thread: its message is not in Slack (yet)"
            raise DeliveryError(text, is_permanent=parent is not None, is_service_wide=False)
        content = self.read_file(row.payload["bundle_uri"], name)
        if content is None:
            raise DeliveryError(f"{name} is not where the bundle is kept (yet)", is_service_wide=False)
        client, comment = SlackClient(self.settings, budget), None
        if row.may_have_arrived:
            found, is_sure = _looked_for(client, row, thread.channel, lambda one: _has_file(one, title), thread)
            if found is not None:
                return {"file": name}
            comment = None if is_sure else SENT_AGAIN
        try:
            client.upload(thread, content, name=name, title=title, alt=row.payload["alt"], comment=comment)
        except SlackRefusedError as refused:
            if refused.code != "missing_scope":
                raise
            # Not worth holding up the rest of the thread until a person has seen to it.
            raise DeliveryError(str(refused), is_permanent=True) from None
        return {"file": name}

    def _refuse_webhook(self) -> None:
        if self.settings.is_webhook:
            raise DeliveryError("a webhook has no threads; a bot token and a channel have", is_permanent=True)

    def _put(self, client: SlackClient, row: Row, content: Message, thread: Place | None) -> Mapping[str, Any]:
        """Change the row's message where there is one, else post it; `sent`: the one that was sent without a row."""
        place = _place(row.receipt) or _place(row.payload.get("sent"))
        if place is not None and _changed(client, place, content):
            return _receipt(place)
        if row.may_have_arrived:
            channel = thread.channel if thread else self.settings.channel or ""
            found, is_sure = _looked_for(client, row, channel, lambda one: _is_of(one, row.key), thread)
            if found is not None and _changed(client, found, content):
                return _receipt(found)
            content = content if is_sure else noted(content, SENT_AGAIN)
        return _receipt(client.post(content, key=row.key, thread=thread))


def _by_webhook(client: SlackClient, row: Row, content: Message) -> Mapping[str, Any]:
    """One message, again only where it says something else: a webhook changes nothing that was sent."""
    said = text_name(content.text)
    earlier = (row.receipt.get("said"), (row.payload.get("sent") or {}).get("said"))
    if not row.payload["final"] or said in earlier:
        return {}
    client.send_by_webhook(noted(content, SENT_AGAIN) if row.may_have_arrived else content)
    return {"said": said}


def _changed(client: SlackClient, place: Place, content: Message) -> bool:
    """False where the message is no longer there, or not for this token."""
    try:
        client.update(place, content)
    except SlackRefusedError as refused:
        if refused.code not in _NO_LONGER_OURS:
            raise
        return False
    return True


def _looked_for(
    client: SlackClient, row: Row, channel: str, wanted: Callable[[Mapping[str, Any]], bool], thread: Place | None
) -> tuple[Place | None, bool]:
    """What an unconfirmed attempt has left in Slack, and whether it is sure that nothing else is there."""
    try:
        known = channel if _is_id(channel) else client.channel_id(channel)
        if known is None:
            LOG.warning("%s: whether it has arrived cannot be looked up: set the channel by its id", row.key)
            return None, False
        return client.find(known, wanted, row.created, thread), True
    except (SlackRefusedError, UnreadError) as refused:
        LOG.warning("%s: whether it has arrived cannot be looked up: %s", row.key, refused)
        return None, False


def _is_id(channel: str) -> bool:
    return re.fullmatch(r"[CGD][A-Z0-9]{6,30}", channel) is not None


def _is_of(message: Mapping[str, Any], key: str) -> bool:
    metadata = message.get("metadata") or {}
    is_ours = metadata.get("event_type") == EVENT_TYPE
    return is_ours and (metadata.get("event_payload") or {}).get("key") == key


def _has_file(message: Mapping[str, Any], title: str) -> bool:
    return any(file.get("title") == title for file in message.get("files") or ())


def _place(receipt: Mapping[str, Any] | None) -> Place | None:
    if not receipt or not receipt.get("ts") or not receipt.get("channel"):
        return None
    return Place(str(receipt["channel"]), str(receipt["ts"]))


def _receipt(place: Place) -> dict[str, Any]:
    return {"channel": place.channel, "ts": place.ts}
