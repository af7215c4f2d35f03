"""Calls to Slack, by a bot token or an incoming webhook: each bounded in time, made once, its failure in one line."""

import errno
import logging
import math
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import base_client
from slack_sdk.webhook import client as webhook_client

from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.message_parts import Message
from include.loadtest.publishing.redirects import open_there
from include.loadtest.publishing.slack import SlackSettings, is_safe
from include.loadtest.publishing.slack_answers import WRITE_SCOPE, Answer, UnreadError, answer_of, failure

for _module in (base_client, webhook_client):  # the SDK would take the token wherever an answer redirects it
    _module.urlopen = open_there  # type: ignore[attr-defined]

EVENT_TYPE = "load_test_delivery"
"""Of the metadata that marks a message as the one of an outbox row; people do not see it."""
PAGE_MESSAGES, MAX_PAGES = 200, 5
"""How far back a message of one's own is looked for."""
PAGE_CHANNELS = 1000
"""The most channels that Slack lists at once."""
_CLOCKS_DIFFER_S = 300


@dataclass(frozen=True)
class Place:
    """Where a message is: its channel's id, and its time stamp, which names it."""

    channel: str
    ts: str


class SlackClient:
    """One delivery's calls. Each asks the budget for its time, and raises DeliveryError or OutOfTime.

    No exception carries the token or the webhook's URL, nor an exception that does.
    """

    def __init__(self, settings: SlackSettings, budget: Budget) -> None:
        self._settings = settings
        self._budget = budget

    def post(self, message: Message, *, key: str | None = None, thread: Place | None = None) -> Place:
        """Write a message into the settings' channel, or below another; `key` marks it for `find`."""
        content = _content(message) | _NO_PREVIEWS
        if key is not None:
            content["metadata"] = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        channel = thread.channel if thread else self._settings.channel or ""
        thread_ts = thread.ts if thread else None
        taken = self._call(
            lambda web: web.chat_postMessage(
                channel=channel, thread_ts=thread_ts, parse="none", link_names=False, **content
            )
        )
        return Place(str(taken.get("channel") or channel), str(taken.get("ts") or ""))

    def update(self, place: Place, message: Message) -> None:
        """Change a message of this app; nobody is notified."""
        content = _content(message)
        self._call(
            lambda web: web.chat_update(channel=place.channel, ts=place.ts, parse="none", link_names=False, **content)
        )

    def channel_id(self, name: str) -> str | None:
        """The id of a channel by its name, since only ids can be looked into; None where it is not among those seen."""
        for kind, scope in (("public_channel", "channels:read"), ("private_channel", "groups:read")):
            cursor = None
            for _ in range(MAX_PAGES):
                asked = {"types": kind, "exclude_archived": True, "limit": PAGE_CHANNELS, "cursor": cursor}
                page = self._call(_lister(asked), scope=scope, is_write=False)
                for channel in page.get("channels") or ():
                    if channel.get("name") == name.removeprefix("#"):
                        return str(channel["id"])
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    break
        return None

    def find(self, channel: str, wanted: Callable[[Mapping[str, Any]], bool], since: datetime,
             thread: Place | None = None) -> Place | None:  # fmt: skip
        """The newest message since then that is wanted, in a channel (its id) or in a thread.

        Raises UnreadError where it is not among those read, and there are more.
        """
        oldest = f"{since.timestamp() - _CLOCKS_DIFFER_S:.6f}"
        cursor = None
        for _ in range(MAX_PAGES):
            asked = {"channel": channel, "cursor": cursor, "oldest": oldest, "limit": PAGE_MESSAGES,
                     "include_all_metadata": True}  # fmt: skip
            page = self._call(_reader(asked, thread), scope="channels:history or groups:history", is_write=False)
            for message in page.get("messages") or ():
                if wanted(message):
                    return Place(channel, str(message["ts"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        raise UnreadError(MAX_PAGES * PAGE_MESSAGES)

    def upload(self, thread: Place, content: bytes, *, name: str, title: str, alt: str, comment: str | None) -> None:
        """Put a file into a thread."""
        scope = "files:write"
        place = self._call(
            lambda web: web.files_getUploadURLExternal(filename=name, length=len(content), alt_txt=alt),
            scope=scope,
            is_write=False,
        )
        address = str(place.get("upload_url"))
        if not is_safe(address):
            raise DeliveryError("Slack names no safe address for a file", is_service_wide=False)
        self._ask(lambda timeout_s: _put(address, content, timeout_s), is_write=False)
        self._call(
            lambda web: web.files_completeUploadExternal(
                files=[{"id": str(place["file_id"]), "title": title}],
                channel_id=thread.channel,
                thread_ts=thread.ts,
                initial_comment=comment,
            ),
            scope=scope,
        )

    def send_by_webhook(self, message: Message) -> None:
        """Write a message where the webhook leads; it cannot be changed later."""
        url, content = self._settings.webhook_url or "", _content(message) | _NO_PREVIEWS

        def send(timeout_s: int) -> Answer:
            hook = WebhookClient(url, timeout_s, logger=_SILENT, retry_handlers=[])
            taken = hook.send(**content)
            return answer_of(taken.status_code, taken.headers, {}, None if taken.body == "ok" else taken.body)

        self._ask(send)

    def _call(
        self, method: Callable[[WebClient], Any], *, scope: str = WRITE_SCOPE, is_write: bool = True
    ) -> Mapping[str, Any]:
        settings = self._settings

        def ask(timeout_s: int) -> Answer:
            web = WebClient(settings.token, settings.base_url, timeout_s, logger=_SILENT, retry_handlers=[])
            try:
                taken = method(web)
            except SlackApiError as refused:
                data = refused.response.data
                error = data.get("error", "") if isinstance(data, dict) else ""
                return answer_of(refused.response.status_code, refused.response.headers, {}, error)
            return Answer(dict(taken.data))

        return self._ask(ask, scope=scope, is_write=is_write)

    def _ask(
        self, ask: Callable[[int], Answer], *, scope: str = WRITE_SCOPE, is_write: bool = True
    ) -> Mapping[str, Any]:
        timeout_s = self._budget.timeout_s()
        answer = _within(timeout_s, ask)
        if answer.error is None:
            return answer.data
        raise failure(answer, scope, is_write)


def _lister(asked: Mapping[str, Any]) -> Callable[[WebClient], Any]:
    return lambda web: web.conversations_list(**asked)


def _reader(asked: Mapping[str, Any], thread: Place | None) -> Callable[[WebClient], Any]:
    if thread is None:
        return lambda web: web.conversations_history(**asked)
    return lambda web: web.conversations_replies(ts=thread.ts, **asked)


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


_NO_PREVIEWS = {"unfurl_links": False, "unfurl_media": False}
"""Nobody may make Slack's servers fetch an address that stands in a target's text."""


def _within(timeout_s: float, ask: Callable[[int], Answer]) -> Answer:
    """One attempt, abandoned after `timeout_s`: a socket's timeout bounds neither DNS nor an answer in drops."""
    answers: list[Answer] = []
    attempt = threading.Thread(
        target=lambda: answers.append(_attempt(ask, math.ceil(timeout_s))), name="slack", daemon=True
    )
    attempt.start()
    attempt.join(timeout_s)
    return answers[0] if answers else Answer(error=f"no answer within {timeout_s:.3g} s")


_SILENT = logging.Logger("slack", level=logging.CRITICAL + 1)
"""The SDK logs the webhook's URL at level DEBUG; this logger stands outside the tree, so nobody can turn it on."""
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)


def _attempt(ask: Callable[[int], Answer], timeout_s: int) -> Answer:
    try:
        return ask(timeout_s)
    except Exception as error:  # noqa: BLE001 - some of them quote the webhook's URL: only the cause's name goes on
        reason = getattr(error, "reason", error)
        kind = type(reason).__name__
        text = (reason.strerror or kind) if isinstance(reason, OSError) else f"unreadable answer ({kind})"
        return Answer(error=text, is_unsent=_is_unsent(error, reason))


def _is_unsent(error: Exception, reason: object) -> bool:
    """Whether the connection was never there, so that nothing can have arrived."""
    if not isinstance(error, urllib.error.URLError) or not isinstance(reason, OSError):
        return False
    is_known = isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError)
    return is_known or reason.errno in _UNREACHABLE


def _put(address: str, content: bytes, timeout_s: int) -> Answer:
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(address, content, headers, method="POST")  # noqa: S310 - checked by is_safe
    try:
        with open_there(request, timeout=timeout_s) as taken:
            return answer_of(taken.status, dict(taken.headers), {}, None)
    except urllib.error.HTTPError as refused:
        return answer_of(refused.code, dict(refused.headers), {}, "")
