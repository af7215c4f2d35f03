"""What Slack's answers mean: which error each of them is, and what a person does about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.loadtest.publishing import SLACK_CONNECTION
from include.loadtest.publishing.delivery import DeliveryError

WRITE_SCOPE = "chat:write"


class SlackRefusedError(DeliveryError):
    """Slack has understood the call and says no; `code` is its word for the reason."""

    def __init__(self, code: str, action: str, *, is_permanent: bool, is_service_wide: bool) -> None:
        super().__init__(f"Slack refuses: {code}; {action}", is_permanent=is_permanent, is_service_wide=is_service_wide)
        self.code = code


class UnreadError(DeliveryError):
    """There are more messages than were read, so that what was looked for may be among the others."""

    def __init__(self, read: int) -> None:
        super().__init__(f"not among the {read} messages that were read, and there are more", is_service_wide=False)


@dataclass(frozen=True)
class Answer:
    """`error`: Slack's code or what else happened, None where the call was taken; `is_unsent`: nothing went out."""

    data: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    retry_after_s: float | None = None
    is_code: bool = False
    is_unsent: bool = False
    status: int | None = None


def answer_of(status: int, headers: Mapping[str, str], data: Mapping[str, Any], error: object) -> Answer:
    """`error`: None for success; only a text that looks like one of Slack's codes is quoted."""
    if status == 200 and error is None:
        return Answer(data)
    is_word = isinstance(error, str) and re.fullmatch(r"[a-z][a-z_]{1,50}", error) is not None and error != "ok"
    is_code = is_word and status < 500
    wait = _header(headers, "retry-after") if status in (429, 503) else ""
    return Answer(
        error=str(error) if is_code else f"HTTP {status}",
        retry_after_s=float(wait) if re.fullmatch(r"\d{1,6}", wait) else None,
        is_code=is_code,
        status=status,
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def failure(answer: Answer, scope: str, is_write: bool) -> DeliveryError:
    """The error of a call that was not taken; `scope`: what the call needs, `is_write`: it may have left something."""
    code = answer.error or ""
    is_unknown = answer.status is None or answer.status >= 500 or answer.status < 300
    if code in ("ratelimited", "rate_limited") or answer.status == 429:
        action = "the app sends too much; Slack says when it takes more"
        return DeliveryError(f"Slack refuses: {code}; {action}", answer.retry_after_s)
    if code in _OWN_TROUBLE or not answer.is_code:
        text = f"Slack has not confirmed the call: {code}; {_LOOK}"
        is_open = is_write and is_unknown and not answer.is_unsent
        return DeliveryError(text, answer.retry_after_s, may_have_arrived=is_open)
    if code == "missing_scope":
        return SlackRefusedError(
            code, f"give the app the scope {scope} and install it again", is_permanent=False,
            is_service_wide=scope == WRITE_SCOPE,
        )  # fmt: skip
    if code in _PERMANENT:
        return SlackRefusedError(code, _FAULT, is_permanent=True, is_service_wide=False)
    return SlackRefusedError(code, _ACTIONS.get(code, _LOOK), is_permanent=False, is_service_wide=code in _ACTIONS)


def lacks_optional_scope(reason: str) -> bool:
    """Whether a delivery was given up for want of a scope that messages do not need, as `failure` says it."""
    return "Slack refuses: missing_scope" in reason and WRITE_SCOPE not in reason


_LOOK = "look at Slack's status page and at this machine's way to the internet"
_FAULT = "the message breaks Slack's rules: that is a fault of this program, please report it"
_OWN_TROUBLE = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""Of these Slack says that part of the call may have been done."""
_PERMANENT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_payload",
        "invalid_arguments",
        "invalid_metadata_format",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
_NEW_TOKEN = f"put a valid bot token in the password of connection {SLACK_CONNECTION}"
_NEW_WEBHOOK = f"make a new webhook in Slack and put its URL in the password of connection {SLACK_CONNECTION}"
_CHANNEL = (
    f"check the channel in the extra of connection {SLACK_CONNECTION}; into a private channel the bot must be invited"
)
_ASK = "ask an administrator of the workspace to let the app post there"
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
    "restricted_action": _ASK,
    "action_prohibited": _ASK,
    "no_service": _NEW_WEBHOOK,
    "no_active_hooks": _NEW_WEBHOOK,
    "no_team": _NEW_WEBHOOK,
    "invalid_token": _NEW_WEBHOOK,
}
