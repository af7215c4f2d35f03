"""Sending a message to Slack, by a bot token or an incoming webhook."""

import ipaddress
import logging
import math
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError

from include.loadtest.errors import ConfigError, InfrastructureError, nearest
from include.loadtest.publishing import SLACK_CONNECTION
from include.loadtest.publishing.message import Message

TIMEOUT_S = 10.0
MAX_WAIT_S = 30.0
"""The longest `Retry-After` that is waited for."""
_EXTRA_KEYS = ("channel", "base_url")
_HOW_TO_SET = (
    'put a bot token in its password and {"channel": "#load-tests"} in its extra, '
    "or a webhook's URL in its password or its host"
)


@dataclass(frozen=True)
class SlackSettings:
    """Where messages go; make it with `SlackSettings.checked`. The secrets (a webhook's URL is one) stay out of `repr`.

    With both ways set, the token and the channel are used.
    """

    channel: str | None
    token: str | None = field(repr=False)
    webhook_url: str | None = field(repr=False)
    base_url: str = WebClient.BASE_URL

    @classmethod
    def checked(
        cls,
        *,
        channel: str | None = None,
        token: str | None = None,
        webhook_url: str | None = None,
        base_url: str | None = None,
    ) -> Self:
        """Settings that can send. Raises ConfigError, which names the connection's field and never its content."""
        if webhook_url is None and token is None:
            raise ConfigError(f"connection {SLACK_CONNECTION}: no way to send; {_HOW_TO_SET}")
        if webhook_url is None and channel is None:
            raise ConfigError(f"connection {SLACK_CONNECTION}: a bot token needs a channel; {_HOW_TO_SET}")
        if token is not None and not re.fullmatch(r"[!-~]+", token):
            raise ConfigError(f"connection {SLACK_CONNECTION}: password: a bot token has no spaces; copy it again")
        if channel is not None and not re.fullmatch(r"#?[\w.-]{1,80}", channel):
            raise ConfigError(
                f"connection {SLACK_CONNECTION}: extra: channel: write a name (#load-tests) or an id (C…)"
            )
        if webhook_url is not None:
            _check_url(webhook_url, "password or host: the webhook")
        if base_url is not None:
            _check_url(base_url, "extra: base_url")
        return cls(channel, token, webhook_url, base_url or WebClient.BASE_URL)


def settings_from(password: str | None, host: str | None, extra: Mapping[str, Any]) -> SlackSettings:
    """Settings of the fields of the connection `loadtest_slack`. Raises ConfigError.

    password: a bot token, or a webhook's whole URL; host: empty, or a webhook's whole URL; extra: `channel` and
    `base_url`, both optional.
    """
    for key, value in extra.items():
        if key not in _EXTRA_KEYS:
            raise ConfigError(f"connection {SLACK_CONNECTION}: extra: unknown key {key!r}; {nearest(key, _EXTRA_KEYS)}")
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"connection {SLACK_CONNECTION}: extra: {key}: expected a text in quotes")
    secret, address = (password or "").strip(), (host or "").strip()
    is_webhook = "://" in secret
    return SlackSettings.checked(
        channel=extra.get("channel") or None,
        token=None if is_webhook else secret or None,
        webhook_url=secret if is_webhook else address or None,
        base_url=extra.get("base_url") or None,
    )


def _check_url(url: str, name: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not re.fullmatch(r"[!-~]+", url) or "@" in parts.netloc:
        raise ConfigError(
            f"connection {SLACK_CONNECTION}: {name} is no URL; write https://…, without credentials in it"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigError(
            f"connection {SLACK_CONNECTION}: {name} must begin with https:// (http:// only on this machine)"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def send(
    settings: SlackSettings, message: Message, timeout_s: float = TIMEOUT_S, thread: str | None = None
) -> str | None:
    """Send once; once more only after Slack's "too many requests" with a wait of at most `MAX_WAIT_S`.

    With a bot token `thread` puts the message below an earlier one, and the answer is what names this one; a webhook
    knows no threads: None.

    Nothing else is repeated, since a message whose answer was lost may have arrived. Raises InfrastructureError with
    Slack's error code and what to do; it carries neither the token nor the webhook's URL, nor an exception that does.
    """
    answer = _within(timeout_s, settings, message, thread)
    if answer.retry_after_s is not None and answer.retry_after_s <= MAX_WAIT_S:
        time.sleep(answer.retry_after_s)
        answer = _within(timeout_s, settings, message, thread)
    if answer.error is not None:
        action = _ACTIONS.get(answer.error, "look at Slack's status page and at this machine's way to the internet")
        raise InfrastructureError(f"Slack has not confirmed the message: {answer.error}; {action}")
    return answer.message_ts


_NEW_TOKEN = f"put a valid bot token in the password of connection {SLACK_CONNECTION}"
_NEW_WEBHOOK = f"make a new webhook in Slack and put its URL in the password of connection {SLACK_CONNECTION}"
_CHANNEL = (
    f"check the channel in the extra of connection {SLACK_CONNECTION}; into a private channel the bot must be invited"
)
_ASK = "ask an administrator of the workspace to let the app post there"
_FAULT = "the message breaks Slack's rules: that is a fault of this program, please report it"
_ACTIONS = {
    "channel_not_found": _CHANNEL,
    "not_in_channel": "invite the bot into the channel (/invite), or give the app the scope chat:write.public",
    "is_archived": _CHANNEL,
    "channel_is_archived": _NEW_WEBHOOK,
    "not_authed": _NEW_TOKEN,
    "invalid_auth": _NEW_TOKEN,
    "account_inactive": _NEW_TOKEN,
    "token_expired": _NEW_TOKEN,
    "token_revoked": _NEW_TOKEN,
    "missing_scope": "give the app the scope chat:write and install it again",
    "restricted_action": _ASK,
    "action_prohibited": _ASK,
    "no_service": _NEW_WEBHOOK,
    "no_active_hooks": _NEW_WEBHOOK,
    "no_team": _NEW_WEBHOOK,
    "invalid_token": _NEW_WEBHOOK,
    "ratelimited": "the app sends too much; wait a few minutes",
    "invalid_blocks": _FAULT,
    "invalid_payload": _FAULT,
    "msg_too_long": _FAULT,
}


@dataclass(frozen=True)
class _Answer:
    """`error`: Slack's code or what else happened, None where the message was taken."""

    error: str | None
    retry_after_s: float | None = None
    message_ts: str | None = None


def _within(timeout_s: float, settings: SlackSettings, message: Message, thread: str | None) -> _Answer:
    """One attempt, abandoned after `timeout_s`: a socket's timeout bounds neither DNS nor an answer in drops."""
    answers: list[_Answer] = []
    attempt = threading.Thread(
        target=lambda: answers.append(_attempt(settings, message, math.ceil(timeout_s), thread)), daemon=True
    )
    attempt.start()
    attempt.join(timeout_s)
    return answers[0] if answers else _Answer(f"no answer within {timeout_s:g} s")


_SILENT = logging.Logger("slack", level=logging.CRITICAL + 1)
"""The SDK logs the webhook's URL at level DEBUG; this logger stands outside the tree, so nobody can turn it on."""


def _attempt(settings: SlackSettings, message: Message, timeout_s: int, thread: str | None) -> _Answer:
    try:
        return _post(settings, message, timeout_s, thread)
    except Exception as error:  # noqa: BLE001 - some of them quote the webhook's URL: only the cause's name goes on
        reason = getattr(error, "reason", error)
        kind = type(reason).__name__
        return _Answer((reason.strerror or kind) if isinstance(reason, OSError) else f"unreadable answer ({kind})")


def _post(settings: SlackSettings, message: Message, timeout_s: int, thread: str | None) -> _Answer:
    content: dict[str, Any] = {"text": message.text, "blocks": message.blocks}
    # Nobody may make Slack's servers fetch an address that stands in a target's text.
    content |= {"unfurl_links": False, "unfurl_media": False}
    if settings.token is None or settings.channel is None:
        hook = WebhookClient(settings.webhook_url or "", timeout_s, logger=_SILENT, retry_handlers=[])
        answer = hook.send(**content)
        return _answer(answer.status_code, answer.headers, None if answer.body == "ok" else answer.body)
    client = WebClient(settings.token, settings.base_url, timeout_s, logger=_SILENT, retry_handlers=[])
    try:
        taken = client.chat_postMessage(
            channel=settings.channel, parse="none", link_names=False, thread_ts=thread, **content
        )
    except SlackApiError as refused:
        data = refused.response.data
        error = data.get("error", "") if isinstance(data, dict) else ""
        return _answer(refused.response.status_code, refused.response.headers, error)
    return _Answer(None, message_ts=taken.get("ts"))


def _answer(status: int, headers: Mapping[str, str], error: object) -> _Answer:
    """`error`: None for success; only a text that looks like one of Slack's codes is quoted."""
    if status == 200 and error is None:
        return _Answer(None)
    is_code = isinstance(error, str) and re.fullmatch(r"[a-z][a-z_]{1,50}", error)
    wait = headers.get("Retry-After", "") if status == 429 else ""
    return _Answer(str(error) if is_code else f"HTTP {status}", float(wait) if re.fullmatch(r"\d{1,6}", wait) else None)
