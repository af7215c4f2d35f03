"""What a trial comes to: which link is named, what is not set up, and how Slack is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.loadtest.orchestration.selftest import outcome
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.outcome import Outcome, outcome_of, summary, try_all
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.alarm_servers import Servers
from tests.helpers.github_service import Trouble

pytestmark = pytest.mark.integration
WHOLE: dict[Link, Outcome | None] = {name: Outcome("ok", "fine") for name in Link}


def broken(outcomes: dict[Link, Outcome | None]) -> list[Link]:
    return [name for name, found in outcomes.items() if found is not None and found.state == "broken"]


def texts(servers: Servers) -> list[str]:
    return [post.text for post in servers.slack.posts]


def test_a_whole_chain_passes_and_cleans_up(servers: Servers, trial_of: Callable[..., Trial]) -> None:
    """Both messages end as passed, both issues closed."""
    outcomes = try_all(trial_of(servers.services()))
    assert {name: found.state for name, found in outcomes.items() if found} == dict.fromkeys(Link, "ok")
    assert [text.split(".")[0] for text in texts(servers)] == ["[TEST] ✅ Alarm self-test passed"] * 2
    assert {issue["state"] for issue in servers.github.issues.issues.values()} == {"closed"}


def test_a_wrong_slack_token_is_the_one_broken_link(servers: Servers, trial_of: Callable[..., Trial]) -> None:
    """The issue is filed and closed all the same."""
    outcomes = try_all(trial_of(servers.services(slack_token="not-the-right-one")))
    assert broken(outcomes) == [Link.SLACK]
    assert {issue["state"] for issue in servers.github.issues.issues.values()} == {"closed"}


def test_a_wrong_github_token_is_the_one_broken_link_and_slack_is_told(
    servers: Servers, trial_of: Callable[..., Trial]
) -> None:
    """The messages say what to do; the closing was not tested."""
    outcomes = try_all(trial_of(servers.services(github_token="not-the-right-one")))
    assert broken(outcomes) == [Link.ISSUE]
    assert outcomes[Link.CLOSING] is None
    assert all(text.startswith("[TEST] ❌ Alarm self-test failed. broken link: issue") for text in texts(servers))
    assert all("put a valid token" in text and "Not tested" in text for text in texts(servers))


def test_an_issue_that_arrives_later_is_closed_then(servers: Servers, trial_of: Callable[..., Trial]) -> None:
    """Its closing is in the outbox behind it."""
    servers.github.troubles["issues/create"] = Trouble(status=403)
    trial = trial_of(servers.services())
    assert broken(try_all(trial)) == [Link.ISSUE]
    servers.github.troubles.clear()
    handlers = trial.services.handlers(trial.engine, lambda _uri, _name: None, lambda _uri: [])
    Courier(trial.engine, handlers).deliver(within_s=30, call_s=10, force=True)
    issues = servers.github.issues.issues.values()
    assert {issue["state"] for issue in issues} == {"closed"}


def test_a_webhook_is_told_of_a_broken_link_only(servers: Servers, trial_of: Callable[..., Trial]) -> None:
    """It can change nothing, so a passed test is not told again."""
    hook = SlackSettings.checked(webhook_url=servers.slack.webhook_url)
    trial = trial_of(replace(servers.services(), slack=hook))
    assert broken(try_all(trial)) == []
    assert len(texts(servers)) == 2
    servers.github.stop()
    assert broken(try_all(replace(trial, run_id="smoke-2-alarm"))) == [Link.ISSUE]
    assert len(texts(servers)) == 5
    assert "Alarm self-test failed" in texts(servers)[-1]


def test_one_service_alone_is_enough_and_the_other_is_named(trial_of: Callable[..., Trial], servers: Servers) -> None:
    """Without Slack the issue, without GitHub the message is the alarm."""
    is_whole, text = summary(try_all(trial_of(Services(None, servers.services().github))))
    assert is_whole
    assert "Slack is not tested: there is no connection loadtest_slack" in text
    is_whole, text = summary(try_all(trial_of(Services(servers.services().slack, None), "smoke-2-alarm")))
    assert is_whole
    assert "issue is not tested: there is no connection loadtest_github" in text


def test_nothing_set_up_is_red(trial_of: Callable[..., Trial]) -> None:
    """Every link holds, and nobody would hear of anything."""
    is_whole, text = summary(try_all(trial_of(Services())))
    assert not is_whole
    assert text.startswith("no alarm would reach anybody, since neither Slack nor GitHub is set up. What to do: set")


def test_a_link_without_a_result_is_red() -> None:
    """Its task may have been killed: that is no pass."""
    assert summary(WHOLE) == (True, "every link that was tested holds")
    is_whole, text = summary(WHOLE | {Link.VERDICT: None})
    assert not is_whole
    assert text == "Not tested, or without a result: verdict"


def test_an_error_that_is_no_broken_link_is_not_hidden(
    trial_of: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the self-test itself is a failed task; a broken link is an outcome."""

    def broken_check(_trial: Trial) -> str:
        raise BrokenLinkError(Link.OUTBOX, "full", "empty it")

    def faulty_check(_trial: Trial) -> str:
        raise ValueError

    trial = trial_of(Services())
    monkeypatch.setattr(outcome, "CHECKS", {Link.OUTBOX: broken_check, Link.RECORDING: faulty_check})
    assert outcome_of(trial, Link.OUTBOX) == Outcome("broken", "broken link: outbox. full. What to do: empty it")
    with pytest.raises(ValueError, match=r"^$"):
        outcome_of(trial, Link.RECORDING)
