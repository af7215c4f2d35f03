"""Slack's link: told, read back, and named where that fails."""

import logging
from collections.abc import Callable

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.slack_arrival import check_slack
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.alarm_servers import Servers
from tests.helpers.slack_service import Canned, Trouble

pytestmark = pytest.mark.integration


def test_a_breach_and_a_regression_arrive_once_each_marked_as_a_test(
    servers: Servers, trial_of: Callable[..., Trial]
) -> None:
    """As a run's verdict is told, and nobody is called; trying again repeats nothing."""
    trial = trial_of(servers.services())
    for _ in range(2):
        assert check_slack(trial) == "2 messages have arrived: they were read back, as far as the token may"
    texts = [post.text for post in servers.slack.posts]
    assert [text.split(":")[0] for text in texts] == ["[TEST] ❌ SLA_BREACH", "[TEST] ❌ REGRESSION"]
    assert all("alarm-selftest" in text and "<@" not in text for text in texts)


def test_a_token_that_may_not_read_counts_slacks_answer(
    servers: Servers, trial_of: Callable[..., Trial], caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says which scope is missing."""
    servers.slack.scopes = frozenset({"chat:write"})
    caplog.set_level(logging.INFO, "loadtest")
    check_slack(trial_of(servers.services()))
    assert "not read back, so Slack's answer" in caplog.text
    assert "channels:history" in caplog.text


def test_a_webhook_gets_both_messages(servers: Servers, trial_of: Callable[..., Trial]) -> None:
    """It can read nothing back."""
    hook = SlackSettings.checked(webhook_url=servers.slack.webhook_url)
    assert check_slack(trial_of(Services(hook))) == "2 messages have arrived: Slack took them"
    assert len(servers.slack.posts) == 2


@pytest.mark.parametrize(
    ("slack", "said"),
    [
        (lambda service: {"webhook_url": f"{service.url}/services/T0/B0/another"}, "no_service; make a new webhook"),
        (lambda service: {"channel": "C0123456789", "token": "wrong", "base_url": service.base_url}, "invalid_auth"),
        (lambda service: {"channel": "#nowhere", "token": service.token, "base_url": service.base_url},
         "channel_not_found; check the channel"),
        (lambda _: {"webhook_url": "http://127.0.0.1:1/services/T0/B0/X"}, "Connection refused"),
    ],
    ids=["wrong webhook", "wrong token", "wrong channel", "unreachable"],
)  # fmt: skip
def test_what_is_wrong_with_the_connection_is_said(
    servers: Servers, trial_of: Callable[..., Trial], slack, said: str
) -> None:
    """The link, Slack's own word, what to do; no credential."""
    trial = trial_of(Services(SlackSettings.checked(**slack(servers.slack))))
    with pytest.raises(BrokenLinkError, match=rf"^broken link: Slack. .*{said}") as caught:
        check_slack(trial)
    assert caught.value.link is Link.SLACK
    assert "then clear this task" in str(caught.value)
    assert "/services/" not in str(caught.value)


def test_a_connection_that_cannot_work_is_said(trial_of: Callable[..., Trial]) -> None:
    """Before anything is sent."""
    with pytest.raises(BrokenLinkError, match=r"broken link: Slack. a bot token needs a channel"):
        check_slack(trial_of(Services(ConfigError("a bot token needs a channel"))))


def test_a_message_that_the_channel_does_not_show_has_not_arrived(
    servers: Servers, trial_of: Callable[..., Trial]
) -> None:
    """Slack has said "ok" all the same."""
    empty = Canned(200, '{"ok": true, "messages": [], "has_more": false}')
    servers.slack.troubles["conversations.history"] = Trouble(canned=empty)
    with pytest.raises(BrokenLinkError, match=r"Slack took the message .*, and the channel does not show it"):
        check_slack(trial_of(servers.services()))
