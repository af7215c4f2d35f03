"""The settings of the user's studio, read and written back in turn: a load leaves them as it found them."""

import json
from collections.abc import Mapping
from typing import Any

from include.loadtest.scenarios.checks import check_keys
from include.locustfiles.call import JSON_HEADERS, Call, Reply
from include.locustfiles.user_context import UserContext

_PARTS = ("notification_preferences", "display_preferences")
_READ = "studio_settings"
"""Where the user's memory holds what was read and not yet written back."""


def next_call(user: UserContext) -> Call:
    """Read the settings; the next time write back what was read. Whoever has no studio is refused by the target."""
    studio = {"X-Studio-ID": user.studio_id or ""}
    read: Mapping[str, Any] | None = user.memory.pop(_READ, None)
    if read is None:
        return Call(
            "studio_settings_read", "GET", "/settings", lambda reply: _note(user, reply), token="user", headers=studio
        )
    return Call(
        "studio_settings_write",
        "PUT",
        "/settings",
        lambda reply: _check_written(user, reply, read),
        token="user",
        body=json.dumps(read, ensure_ascii=False).encode(),
        headers={**studio, **JSON_HEADERS},
    )


def _note(user: UserContext, reply: Reply) -> str | None:
    """Check what was read, and keep it for the next time."""
    settings = reply.json()
    error = _check(user, settings)
    if error is None:
        user.memory[_READ] = {part: settings[part] for part in _PARTS}
    return error


def _check_written(user: UserContext, reply: Reply, sent: Mapping[str, Any]) -> str | None:
    settings = reply.json()
    error = _check(user, settings)
    if error is not None:
        return error
    return None if all(settings[part] == sent[part] for part in _PARTS) else "settings: not what was written"


def _check(user: UserContext, settings: Any) -> str | None:
    """The user's own studio, and both parts of its settings."""
    missing = check_keys(settings, ("studio_id", *_PARTS))
    if missing is not None:
        return missing
    if settings["studio_id"] != user.studio_id:
        return "settings: of another studio"
    return None if all(isinstance(settings[part], Mapping) for part in _PARTS) else "settings: not a JSON object"
