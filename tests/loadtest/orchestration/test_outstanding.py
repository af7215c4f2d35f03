"""What waits in the outbox of all runs, against a real history and a small Slack."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from include.loadtest.errors import ConfigError
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.outbox import Delivery, put
from include.loadtest.orchestration.deliveries import outbox_engine
from include.loadtest.orchestration.outstanding import MAX_NAMED, deliver_waiting, late_text
from include.loadtest.orchestration.settings import INSTALLATION_VARIABLE
from include.loadtest.publishing.message import notice
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.slack_service import TOKEN, SlackService, slack_service

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)


@pytest.fixture
def slack() -> Iterator[SlackService]:
    with slack_service() as service:
        yield service


def put_message(history_url: str, run_id: str) -> None:
    message, key = notice(run_id, "it has ended", None), f"slack/run/{run_id}"
    payload = {"text": message.text, "blocks": list(message.blocks), "issues_of": None, "final": True}
    put(outbox_engine(history_url), Delivery(key, "slack", "slack_message", key, run_id, payload))


def age(history_url: str, hours: int) -> None:
    with transaction(connect(history_url)) as connection:
        statement = "UPDATE loadtest.delivery SET updated = now() - make_interval(hours => :hours)"
        connection.execute(text(statement), {"hours": hours})


def test_nothing_waits_in_an_empty_outbox(fresh_history: str) -> None:
    """Nothing is said, and nothing is late."""
    assert deliver_waiting(fresh_history, Services()) == []
    assert late_text(fresh_history, 12, NOW) is None


def test_a_connection_that_is_mended_gets_what_has_waited_once(fresh_history: str, slack: SlackService) -> None:
    """Until then the row says what is wrong with it."""
    put_message(fresh_history, "smoke-1")
    wrong = Services(ConfigError("connection loadtest_slack: no way to send"))
    assert "no way to send" in deliver_waiting(fresh_history, wrong)[1]
    assert "no way to send" in (late_text(fresh_history, 0, NOW + timedelta(hours=1)) or "")
    mended = Services(SlackSettings.checked(channel="#load-tests", token=TOKEN, base_url=slack.base_url))
    assert deliver_waiting(fresh_history, mended)[0] == "delivered 0, 1 left"  # its back-off is not over
    with transaction(connect(fresh_history)) as connection:
        connection.execute(text("UPDATE loadtest.delivery SET next_attempt = now()"))
    assert deliver_waiting(fresh_history, mended) == ["delivered 1, 0 left"]
    assert deliver_waiting(fresh_history, mended) == []
    assert [post.text for post in slack.posts] == ["❌ smoke-1. it has ended"]


def test_the_alarm_names_the_first_of_many(fresh_history: str) -> None:
    """What was put an hour ago is not late yet; a long list is counted, not told."""
    for number in range(MAX_NAMED + 2):
        put_message(fresh_history, f"smoke-{number}")
    age(fresh_history, 11)
    assert late_text(fresh_history, 12, NOW) is None
    age(fresh_history, 13)
    said = late_text(fresh_history, 12, NOW) or ""
    assert said.startswith("7 deliveries wait for more than 12 h, 0 were given up")
    assert said.count("not tried") == MAX_NAMED
    assert "and 2 more" in said


def test_what_was_given_up_is_told_for_a_day(fresh_history: str) -> None:
    """Then it is history: the alarm must not stay red for ever."""
    put_message(fresh_history, "smoke-1")
    with transaction(connect(fresh_history)) as connection:
        connection.execute(text("UPDATE loadtest.delivery SET given_up_at = now(), last_error = 'no answer'"))
    assert "1 were given up within a day: Slack message about smoke-1 (no answer)" in (
        late_text(fresh_history, 12, NOW) or ""
    )
    assert late_text(fresh_history, 12, NOW + timedelta(days=2)) is None


@pytest.mark.parametrize(
    ("reason", "is_told"),
    [
        ("told nobody anything any more", False),
        ("given up: Slack refuses: missing_scope; give the app the scope files:write and install it again", False),
        ("given up after 72 h: Slack refuses: missing_scope; give the app the scope chat:write and install", True),
        ("given up: Slack refuses: invalid_blocks; the message breaks Slack's rules", True),
    ],
)
def test_only_what_somebody_misses_is_told(fresh_history: str, reason: str, is_told: bool) -> None:
    """Progress that came too late, and a plot for which nobody has given the scope, are missed by nobody."""
    put_message(fresh_history, "smoke-1")
    with transaction(connect(fresh_history)) as connection:
        statement = text("UPDATE loadtest.delivery SET given_up_at = now(), last_error = :reason")
        connection.execute(statement, {"reason": reason})
    assert (late_text(fresh_history, 12, NOW) is not None) is is_told


def test_another_installation_delivers_and_misses_only_its_own(
    fresh_history: str, slack: SlackService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has other connections and other bundles, though the history is the same."""
    put_message(fresh_history, "smoke-1")
    age(fresh_history, 13)
    services = Services(SlackSettings.checked(channel="#load-tests", token=TOKEN, base_url=slack.base_url))
    monkeypatch.setenv(INSTALLATION_VARIABLE, "http://another:8080")
    assert deliver_waiting(fresh_history, services) == []
    assert late_text(fresh_history, 12, NOW) is None
    monkeypatch.delenv(INSTALLATION_VARIABLE)
    assert deliver_waiting(fresh_history, services) == ["delivered 1, 0 left"]
