"""How messages reach Slack: the connection's fields, checked."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.publishing import SLACK_CONNECTION
from include.loadtest.publishing.message_parts import is_mention

SLACK_API = "https://slack.com/api/"
MAX_MENTIONS = 10
_EXTRA_KEYS = ("channel", "base_url", "mention")
_HOW_TO_SET = (
    'put a bot token in its password and {"channel": "#load-tests"} in its extra, '
    "or a webhook's URL in its password or its host"
)


@dataclass(frozen=True)
class SlackSettings:
    """Where messages go; make it with `SlackSettings.checked`. The secrets (a webhook's URL is one) stay out of `repr`.

    With both ways set, the token and the channel are used. `mentions`: ids of the users and user groups to be called.
    """

    channel: str | None
    token: str | None = field(repr=False)
    webhook_url: str | None = field(repr=False)
    base_url: str = SLACK_API
    mentions: tuple[str, ...] = ()

    @property
    def is_webhook(self) -> bool:
        """Whether only a webhook is there: it takes messages, and can neither change them nor reply to them."""
        return self.token is None or self.channel is None

    @classmethod
    def checked(
        cls,
        *,
        channel: str | None = None,
        token: str | None = None,
        webhook_url: str | None = None,
        base_url: str | None = None,
        mentions: tuple[str, ...] = (),
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
        if len(mentions) > MAX_MENTIONS or not all(is_mention(one) for one in mentions):
            raise ConfigError(
                f"connection {SLACK_CONNECTION}: extra: mention: write at most {MAX_MENTIONS} ids of users (U…, W…) or "
                "user groups (S…); names are not known to Slack's API, and @here or @channel reach nobody in a thread"
            )
        return cls(channel, token, webhook_url, base_url or SLACK_API, mentions)


def settings_from(password: str | None, host: str | None, extra: Mapping[str, Any]) -> SlackSettings:
    """Settings of the fields of the connection `loadtest_slack`. Raises ConfigError.

    password: a bot token, or a webhook's whole URL; host: empty, or a webhook's whole URL; extra: `channel`, `base_url`
    and `mention` (a list of ids, or one text with them), all optional.
    """
    for key, value in extra.items():
        if key not in _EXTRA_KEYS:
            raise ConfigError(f"connection {SLACK_CONNECTION}: extra: unknown key {key!r}; {nearest(key, _EXTRA_KEYS)}")
        if key != "mention" and value is not None and not isinstance(value, str):
            raise ConfigError(f"connection {SLACK_CONNECTION}: extra: {key}: expected a text in quotes")
    secret, address = (password or "").strip(), (host or "").strip()
    is_webhook = "://" in secret
    return SlackSettings.checked(
        channel=extra.get("channel") or None,
        token=None if is_webhook else secret or None,
        webhook_url=secret if is_webhook else address or None,
        base_url=extra.get("base_url") or None,
        mentions=_mentions(extra.get("mention")),
    )


def _mentions(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split(r"[\s,]+", str(value or "").strip())
    return tuple(dict.fromkeys(str(part) for part in parts if part != ""))


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
    if not is_safe(url):
        raise ConfigError(
            f"connection {SLACK_CONNECTION}: {name} must begin with https:// (http:// only on this machine)"
        )


def is_safe(url: str) -> bool:
    """Whether a secret may be sent there: https, or http on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
