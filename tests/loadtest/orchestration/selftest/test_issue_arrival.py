"""The links issue and closing: filed, read back, closed by clean runs, and named where that fails."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from include.loadtest.history.database import transaction
from include.loadtest.orchestration.selftest.issue_arrival import check_closing, check_issue, file_closing
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.trial import Trial
from tests.helpers.alarm_servers import Servers
from tests.helpers.github_issues import User
from tests.helpers.github_service import Trouble

pytestmark = pytest.mark.integration


@pytest.fixture
def trial(servers: Servers, trial_of: Callable[..., Trial]) -> Trial:
    return trial_of(servers.services())


def states(servers: Servers) -> list[str]:
    return [issue["state"] for issue in servers.github.issues.issues.values()]


def test_two_test_issues_are_filed_and_closed(servers: Servers, trial: Trial) -> None:
    """A breach is one issue, whatever it misses; trying a task again repeats nothing."""
    for _ in range(2):
        assert check_issue(trial) == "issues #1, #2 are open, and say what they have to"
    issues = list(servers.github.issues.issues.values())
    assert all(issue["title"].startswith("[TEST] Performance Regression Detected: ") for issue in issues)
    assert [[label["name"] for label in issue["labels"]] for issue in issues] == [["load-test-selftest"]] * 2
    for _ in range(2):
        assert check_closing(trial) == "#1, #2 are closed by clean runs"
    assert states(servers) == ["closed", "closed"]


def test_a_second_trial_does_not_trip_over_what_the_first_has_left(
    servers: Servers, trial_of: Callable[..., Trial]
) -> None:
    """An open issue, and one that a person closed as not planned: new ones are filed, the old ones end closed."""
    check_issue(trial_of(servers.services()))
    servers.github.issues.change_issue(1, {"state": "closed", "state_reason": "not_planned"})
    second = trial_of(servers.services(), "smoke-2-alarm")
    assert check_issue(second) == "issues #3, #4 are open, and say what they have to"
    assert states(servers) == ["closed", "closed", "open", "open"]
    check_closing(second)
    assert states(servers) == ["closed"] * 4


def test_issues_of_others_are_left_alone(servers: Servers, trial: Trial) -> None:
    """Also one that a person gave the label."""
    store = servers.github.issues
    store.add_label("load-test-selftest")
    store.add_issue(User("somebody"), {"title": "Do we test the alarms?", "labels": ["load-test-selftest"]})
    check_issue(trial)
    check_closing(trial)
    assert states(servers) == ["open", "closed", "closed"]


def test_a_wrong_token_is_said(servers: Servers, trial_of: Callable[..., Trial]) -> None:
    """With what to do, and without the token."""
    with pytest.raises(BrokenLinkError, match=r"^broken link: issue. GitHub refuses the token; put a valid") as caught:
        check_issue(trial_of(servers.services(github_token="not-the-right-one")))
    assert "not-the-right-one" not in str(caught.value)


def test_a_github_that_is_away_is_said(servers: Servers, trial: Trial) -> None:
    """The link is named, whatever the first call was."""
    servers.github.stop()
    with pytest.raises(BrokenLinkError, match=r"broken link: issue. GitHub cannot be reached: Connection refused"):
        check_issue(trial)


def test_a_creation_that_is_refused_is_said(servers: Servers, trial: Trial) -> None:
    """Reading is allowed, writing is not: the commonest mistake with a token."""
    servers.github.troubles["issues/create"] = Trouble(status=403)
    with pytest.raises(BrokenLinkError, match=r"broken link: issue. GitHub ticket has not arrived: .*HTTP 403"):
        check_issue(trial)


def test_an_issue_that_does_not_say_what_it_has_to_is_named(
    servers: Servers, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that may not set labels makes an issue without any; somebody's automation changes the title."""
    add = servers.github.issues.add_issue

    def plain(user: User, body: dict[str, Any]) -> dict[str, Any]:
        return add(user, {"title": "Something", "body": body["body"]})

    monkeypatch.setattr(servers.github.issues, "add_issue", plain)
    with pytest.raises(BrokenLinkError, match="issue #1 has another title, has no label load-test-selftest"):
        check_issue(trial)


def test_an_issue_that_stays_open_breaks_the_closing(
    servers: Servers, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub has taken the request; the issue is read back all the same."""
    check_issue(trial)
    store = servers.github.issues
    monkeypatch.setattr(store, "change_issue", lambda number, _body: store.issue(number))
    with pytest.raises(BrokenLinkError, match="3 clean runs did not close #1, #2") as caught:
        check_closing(trial)
    assert caught.value.link is Link.CLOSING


def test_a_closing_that_github_refuses_waits_and_is_said(servers: Servers, trial: Trial) -> None:
    """It is done later, by whoever delivers then."""
    check_issue(trial)
    servers.github.troubles["issues/update"] = Trouble(status=403)
    with pytest.raises(BrokenLinkError, match=r"broken link: closing. GitHub ticket has not arrived: .*HTTP 403"):
        check_closing(trial)
    servers.github.troubles.clear()
    assert file_closing(trial) == "smoke-1-alarm-clean3"
    check_closing(trial)
    assert states(servers) == ["closed", "closed"]


def test_nothing_enters_the_history_of_runs(trial: Trial) -> None:
    """What is recorded is compared with nothing that is measured."""
    check_issue(trial)
    check_closing(trial)
    with transaction(trial.engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM loadtest.run")) == 0
        assert connection.scalar(text("SELECT count(*) FROM loadtest.metric")) == 0
