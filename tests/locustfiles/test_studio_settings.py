"""Settings are read, and written back as they were."""

import json
from typing import Any

import pytest

from include.loadtest.scenarios.draws import Draws, Zipf
from include.locustfiles.call import Reply
from include.locustfiles.studio_settings import next_call
from include.locustfiles.user_context import UserContext

pytestmark = pytest.mark.unit

STUDIO = "722238fd-01b8-483b-a572-73c219578952"
SETTINGS = {
    "studio_id": STUDIO,
    "notification_preferences": {"scadenza": True, "match": False},
    "display_preferences": {"theme": "light", "language": "è"},
}


def user(studio_id: str | None = STUDIO) -> UserContext:
    return UserContext(1, Draws(1), Zipf(3, 1.0), 3, 0.0, 1, studio_id, ())


def reply(content: Any) -> Reply:
    body = json.dumps(content).encode()
    return Reply(200, body, len(body))


def test_what_was_read_is_written_back_and_then_read_again() -> None:
    """Both parts, unchanged, to the user's own studio; users share no memory."""
    own, other = user(), user()
    read = next_call(own)
    assert (read.method, read.path, read.headers["X-Studio-ID"], read.token) == ("GET", "/settings", STUDIO, "user")
    assert read.check(reply(SETTINGS)) is None
    written = next_call(own)
    assert (written.method, written.path, written.headers["X-Studio-ID"]) == ("PUT", "/settings", STUDIO)
    assert written.headers["Content-Type"] == "application/json"
    assert json.loads(written.body or b"") == {name: SETTINGS[name] for name in SETTINGS if name != "studio_id"}
    assert written.check(reply(SETTINGS)) is None
    assert next_call(own).method == "GET"
    assert next_call(other).method == "GET"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "answer: not a JSON object"),
        ({**SETTINGS, "studio_id": "other"}, "settings: of another studio"),
        ({"studio_id": STUDIO, "display_preferences": {}}, "answer: notification_preferences missing"),
        ({**SETTINGS, "display_preferences": "dark"}, "settings: not a JSON object"),
    ],
)
def test_an_answer_that_is_none_is_not_written_back(content: Any, said: str) -> None:
    """The next iteration reads again."""
    own = user()
    assert next_call(own).check(reply(content)) == said
    assert next_call(own).method == "GET"


def test_a_target_that_stores_something_else_is_found_out() -> None:
    """A 200 is not enough."""
    own = user()
    assert next_call(own).check(reply(SETTINGS)) is None
    changed = {**SETTINGS, "display_preferences": {"theme": "dark"}}
    assert next_call(own).check(reply(changed)) == "settings: not what was written"


def test_without_a_studio_the_target_is_asked_all_the_same() -> None:
    """Its refusal shows in the report; nothing is invented."""
    assert next_call(user(None)).headers["X-Studio-ID"] == ""
