"""Attempts from within a run: bounded in time, and nothing of them reaches the run."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.outbox import Delivery, put, waiting
from include.loadtest.orchestration import deliveries, settings
from include.loadtest.orchestration.deadline import StageTimeoutError
from include.loadtest.orchestration.deliveries import deliver_now, delivered_meanwhile, harmless, outbox_engine, tell
from include.loadtest.publishing.message import notice
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.slack_rows import message_row
from tests.helpers.slack_service import TOKEN, SlackService, Trouble, refused, slack_service

pytestmark = pytest.mark.integration
AWAY = "postgresql://nobody@127.0.0.1:1/history"


@pytest.fixture
def slack() -> Iterator[SlackService]:
    with slack_service() as service:
        yield service


def by_token(slack: SlackService, **changes: Any) -> Services:
    return Services(SlackSettings.checked(channel="#load-tests", token=TOKEN, base_url=slack.base_url, **changes))


def context_of(tmp_path: Path, history_url: str, services: Services) -> Any:
    bundle = Bundle(tmp_path / "smoke-1")
    return SimpleNamespace(
        bundle=bundle, bundle_uri=str(bundle.path), history_url=history_url, services=services, link=None,
        manifest=bundle.update_manifest,
    )  # fmt: skip


def message_of() -> Delivery:
    return message_row("slack/run/smoke-1", "smoke-1", notice("smoke", "it has ended", None))


def test_what_goes_wrong_is_one_line_without_another_programs_words(caplog: pytest.LogCaptureFixture) -> None:
    """Our own errors are quoted; the end of a stage's time goes on."""
    with harmless("a"):
        raise ConfigError("no history database")
    with harmless("b"):
        raise ValueError("password=geheim")
    assert [record.getMessage() for record in caplog.records] == ["a: no history database", "b: ValueError"]
    with pytest.raises(StageTimeoutError), harmless("c"):
        raise StageTimeoutError("x")


def test_a_slack_that_hangs_costs_a_verdict_a_few_seconds(
    tmp_path: Path, fresh_history: str, slack: SlackService
) -> None:
    """One call's time; the message waits, and arrives once when Slack is back."""
    slack.troubles["*"] = Trouble(slow_s=60)
    context = context_of(tmp_path, fresh_history, by_token(slack))
    deliveries.put(context, message_of())
    began_s = time.monotonic()
    deliver_now(context)
    assert time.monotonic() - began_s < deliveries.PUBLISH_WITHIN_S + 3
    (row,) = waiting(outbox_engine(fresh_history))
    assert row.may_have_arrived
    assert row.origin == settings.installation()


def test_what_is_due_is_delivered_beside_a_stage(
    tmp_path: Path, fresh_history: str, slack: SlackService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what an earlier run has left, and what is put meanwhile; the stage's end waits for nobody."""
    monkeypatch.setattr(deliveries, "BESIDE_EVERY_S", 0.05)
    context = context_of(tmp_path, fresh_history, by_token(slack))
    earlier = message_of()
    put(
        outbox_engine(fresh_history),
        Delivery("slack/run/old", *("slack", "slack_message", "old", "old"), earlier.payload),
    )
    with delivered_meanwhile(context):
        deliveries.put(context, message_of())
        deadline = time.monotonic() + 20
        while len(slack.posts) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert len(slack.posts) == 2
    slack.troubles["*"] = Trouble(slow_s=60)
    put(
        outbox_engine(fresh_history),
        Delivery("slack/run/new", *("slack", "slack_message", "new", "new"), earlier.payload),
    )
    with delivered_meanwhile(context):
        time.sleep(0.3)
        ending_s = time.monotonic()
    assert time.monotonic() - ending_s < deliveries.BESIDE_JOIN_S + 2


def test_without_services_nothing_is_started(tmp_path: Path) -> None:
    """No thread, no look at the history."""
    with delivered_meanwhile(context_of(tmp_path, AWAY, Services())):
        pass


def test_people_hear_of_a_run_also_while_the_history_is_away(
    tmp_path: Path, slack: SlackService, caplog: pytest.LogCaptureFixture
) -> None:
    """The final message is sent without a row, once, though Airflow repeats the stage; another text is sent as well."""
    context = context_of(tmp_path, AWAY, by_token(slack))
    for _ in range(3):
        with pytest.raises(InfrastructureError, match="history database"):
            deliveries.put(context, message_of())
    assert [post.text for post in slack.posts] == ["❌ smoke. it has ended"]
    assert "the message is sent without it, once" in caplog.text
    other = message_row("slack/run/smoke-1", "smoke-1", notice("smoke", "it is slower", None))
    with pytest.raises(InfrastructureError, match="history database"):
        deliveries.put(context, other)
    assert [post.text for post in slack.posts] == ["❌ smoke. it has ended", "❌ smoke. it is slower"]
    tell(lambda: AWAY, by_token(slack), message_of())
    assert len(slack.posts) == 3


def test_a_message_that_may_have_arrived_is_not_sent_without_a_row_again(tmp_path: Path, slack: SlackService) -> None:
    """Nothing could look for it; one that was refused is sent by the next try."""
    context = context_of(tmp_path, AWAY, by_token(slack))
    slack.next = [refused("not_in_channel")]
    with pytest.raises(InfrastructureError, match="not_in_channel"):
        deliveries.put(context, message_of())
    slack.troubles["chat.postMessage"] = Trouble(cut=True)
    for reason in ("has not confirmed the call", "history database"):
        with pytest.raises(InfrastructureError, match=reason):
            deliveries.put(context, message_of())
    assert len(slack.posts) == 1


def test_the_row_takes_over_what_was_sent_without_it(tmp_path: Path, fresh_history: str, slack: SlackService) -> None:
    """The stage is repeated and the history is back: the same message, not a second one."""
    context = context_of(tmp_path, AWAY, by_token(slack))
    with pytest.raises(InfrastructureError, match="history database"):
        deliveries.put(context, message_of())
    context.history_url = fresh_history
    deliveries.put(context, message_of())
    deliver_now(context)
    assert waiting(outbox_engine(fresh_history)) == []
    assert [post.text for post in slack.posts] == ["❌ smoke. it has ended"]


def test_a_history_that_never_answers_costs_seconds(tmp_path: Path, slack: SlackService) -> None:
    """Slack gets the verdict without it, with those whom it calls; nothing else is tried."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/history"
        context = context_of(tmp_path, url, by_token(slack, mentions=("U0123456789",)))
        row = message_row("slack/run/smoke-1", "smoke-1", notice("smoke", "x", None), calls=True)
        began_s = time.monotonic()
        steps = {"a": lambda: deliveries.put(context, row), "b": lambda: pytest.fail("the history is asked again")}
        assert deliveries.put_all(steps) is False
        assert time.monotonic() - began_s < deliveries.HISTORY_WITHIN_S + 5
    (post,) = slack.posts
    assert "<@U0123456789>" in str(post.blocks)


def test_what_was_given_up_is_tried_again_when_a_person_publishes_again(
    tmp_path: Path, fresh_history: str, slack: SlackService
) -> None:
    """They have mended the token, and the verdict is the same."""
    context = context_of(tmp_path, fresh_history, by_token(slack))
    deliveries.put(context, message_of())
    with transaction(connect(fresh_history)) as connection:
        connection.execute(text("UPDATE loadtest.delivery SET given_up_at = now(), last_error = 'invalid_auth'"))
    deliver_now(context)
    assert [post.text for post in slack.posts] == ["❌ smoke. it has ended"]


def test_a_message_of_its_own_is_told_at_once(
    fresh_history: str, slack: SlackService, caplog: pytest.LogCaptureFixture
) -> None:
    """Where Slack is not set up, the log says that nobody was told."""
    row = message_of()
    tell(lambda: fresh_history, Services(), row)
    assert "there is no connection loadtest_slack" in caplog.text
    tell(lambda: fresh_history, by_token(slack), row)
    assert len(slack.posts) == 1
    assert waiting(outbox_engine(fresh_history)) == []


def test_the_own_bundle_is_read_where_it_is_newer(tmp_path: Path, fresh_history: str) -> None:
    """A task's files are copied to an object store only when it ends."""
    context = context_of(tmp_path, fresh_history, Services())
    context.bundle_uri = "memory://results/smoke-1"
    context.bundle.write_text("a.md", "new")
    files = deliveries.Files(context)
    assert files.read("memory://results/smoke-1", "a.md") == b"new"
    assert files.names("memory://results/smoke-1") == ["a.md"]
    assert files.read("memory://results/other-1", "a.md") is None
    assert files.names("memory://results/other-1") == []
