"""Profile, subscription, usage, settings and invoices of the user."""

from collections.abc import Mapping

from include.loadtest.scenarios.checks import check_keys
from include.locustfiles.call import JSON_HEADERS, Call, Reply, TokenKind
from include.locustfiles.user_context import UserContext

_READS: tuple[tuple[str, str, TokenKind, tuple[str, ...]], ...] = (
    ("user_profile", "/users/me", "user", ("id", "email")),
    ("subscription", "/payments/subscription", "session", ("status",)),
    ("usage", "/billing/usage", "user", ("plan_slug", "window_5h")),
    ("invoices", "/payments/invoices", "session", ("invoices", "total")),
)
_SETTINGS_KEYS = ("studio_id", "notification_preferences", "display_preferences")
_NEW_SETTINGS = b'{"display_preferences": {"theme": "dark"}}'


def next_call(user: UserContext) -> Call:
    """One operation, each equally likely; settings need a studio, which not every target gives its users."""
    choice = user.draws.below(len(_READS) + (2 if user.studio_id else 0))
    if choice < len(_READS):
        endpoint, path, token, keys = _READS[choice]
        return Call(endpoint, "GET", path, lambda reply: check_keys(reply.json(), keys), token=token)
    studio = {"X-Studio-ID": user.studio_id or ""}
    if choice == len(_READS):
        return _settings_call("settings_read", "GET", studio)
    return _settings_call("settings_write", "PUT", {**studio, **JSON_HEADERS}, _NEW_SETTINGS)


def _settings_call(endpoint: str, method: str, headers: Mapping[str, str], body: bytes | None = None) -> Call:
    return Call(endpoint, method, "/settings", _check_settings, token="user", body=body, headers=headers)


def _check_settings(reply: Reply) -> str | None:
    return check_keys(reply.json(), _SETTINGS_KEYS)
