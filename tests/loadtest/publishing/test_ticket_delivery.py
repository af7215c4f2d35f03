"""Issues as GitHub has them in the end: one each, whatever answer is lost, whoever closes them, whatever is refused."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update

from include.loadtest.history import outbox
from include.loadtest.history.database import transaction
from include.loadtest.history.outbox import Delivery
from include.loadtest.history.schema import DELIVERY, TICKET
from include.loadtest.history.tickets import issues_of
from include.loadtest.publishing.courier import Courier, Outcome
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.ticket_delivery import ticket_handlers
from include.loadtest.verdict import Reason
from tests.helpers.github_issues import User
from tests.helpers.github_service import REPOSITORY, TOKEN, GitHubService, Trouble, github_service, too_many
from tests.helpers.ticket_runs import BAD, bad, file, good, slo, verdict

pytestmark = pytest.mark.integration
SOMEBODY = User("somebody")
CREATE, COMMENT, EDIT = "issues/create", "issues/create-comment", "issues/update"


@pytest.fixture
def github() -> Iterator[GitHubService]:
    """A GitHub whose rules nobody breaks."""
    with github_service() as service:
        yield service
        assert service.faults == []


def deliver(engine: Engine, github: GitHubService, call_s: float = 5, token: str = TOKEN) -> Outcome:
    """Try all that waits, as if its back-off were over."""
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).values(next_attempt=func.now()))
    settings = GitHubSettings.checked(token, REPOSITORY, github.url)
    handlers = ticket_handlers(settings, engine=engine)
    return Courier(engine, handlers).deliver(within_s=30, call_s=call_s, force=True)


def delivered(engine: Engine, github: GitHubService) -> None:
    """Deliver, and everything arrives."""
    outcome = deliver(engine, github)
    assert (outcome.failed, outcome.left) == ((), 0)


def issue(github: GitHubService, number: int = 1) -> dict[str, Any]:
    return github.issues.issue(number)


def comments(github: GitHubService, number: int = 1) -> list[str]:
    """What was commented, without the hidden first line."""
    return [str(one["body"]).splitlines()[2] for one in github.issues.of_issue(number)]


def fingerprint(engine: Engine) -> str:
    """The only ticket's."""
    with transaction(engine) as connection:
        return str(connection.scalar(select(TICKET.c.fingerprint)))


def fails_at(github: GitHubService, monkeypatch: pytest.MonkeyPatch, place: int, trouble: Trouble) -> None:
    """The request of that place goes wrong, whatever it asks for."""
    monkeypatch.setattr(github, "trouble", lambda _: trouble if len(github.seen) == place else Trouble())


def test_a_life_from_opening_to_closing(engine: Engine, github: GitHubService) -> None:
    """One issue, created once, a comment for each event, labels with their colour, closed as completed."""
    for number in range(5):
        bad(engine, f"r{number}")
        delivered(engine, github)
    for number in range(5, 8):
        good(engine, f"r{number}")
        delivered(engine, github)
    assert list(github.issues.issues) == [1]
    assert (github.count(CREATE), github.count(COMMENT)) == (1, 5)
    assert (issue(github)["state"], issue(github)["state_reason"]) == ("closed", "completed")
    assert [text.split(" in ")[0] for text in comments(github)[:4]] == ["**Still there**"] * 4
    assert comments(github)[4].startswith("**Gone**: 3 clean runs in a row, the last of them `r7`")
    labels = {label["name"]: label["color"] for label in issue(github)["labels"]}
    assert labels == dict.fromkeys(("load-test", "performance", "sla-breach", "profile:peak_hours"), "d93f0b")
    assert "in `r4`, profile" in issue(github)["body"]


def test_the_number_is_known_to_the_history_and_the_runs_message_is_told(engine: Engine, github: GitHubService) -> None:
    """The message is due again, since it shows the issue; the receipt has the address."""
    outbox.put(engine, Delivery("slack/run/r0", "slack", "slack_message", "slack/run/r0", "r0", {"text": "…"}))
    bad(engine, "r0")
    deliver(engine, github)
    assert issues_of(engine, "r0") == [(1, issue(github)["html_url"])]
    message, ticket = outbox.rows_of(engine, "r0")
    assert message.version == 2
    assert ticket.receipt == {"number": 1, "url": issue(github)["html_url"]}


def test_it_is_opened_again_within_the_window_and_anew_after_it(engine: Engine, github: GitHubService) -> None:
    """The new one names the old one, which stays closed."""
    bad(engine, "r0")
    for number in range(1, 4):
        good(engine, f"r{number}")
    bad(engine, "r4")
    delivered(engine, github)
    assert (issue(github)["state"], comments(github)[-1].split(" in ")[0]) == ("open", "**Back**")
    for number in range(5, 8):
        good(engine, f"r{number}")
    with transaction(engine) as connection:
        connection.execute(update(TICKET).values(closed_at=func.now() - func.make_interval(0, 0, 0, 31)))
    bad(engine, "r8")
    delivered(engine, github)
    assert [issue(github, number)["state"] for number in (1, 2)] == ["closed", "open"]
    assert f"told in {REPOSITORY}#1 before" in issue(github, 2)["body"]
    bad(engine, "r9")
    delivered(engine, github)
    assert (list(github.issues.issues), len(comments(github, 2))) == ([1, 2], 1)


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(is_processed=True, is_cut=True, times=1),
        Trouble(is_processed=True, slow_s=2, times=1),
        Trouble(is_processed=True, status=502, times=1),
    ],
    ids=["cut", "late", "502"],
)
@pytest.mark.parametrize("operation", [CREATE, COMMENT, EDIT])
def test_an_answer_that_is_lost_is_no_second_issue_or_comment(
    engine: Engine, github: GitHubService, trouble: Trouble, operation: str
) -> None:
    """GitHub did it and the answer did not come: the next attempt finds what is there."""
    github.troubles[operation] = Trouble(**vars(trouble))
    bad(engine, "r0")
    bad(engine, "r1")
    first = deliver(engine, github, call_s=1)
    assert len(first.failed) == 1
    delivered(engine, github)
    assert (list(github.issues.issues), len(comments(github))) == ([1], 1)


def test_a_lost_creation_without_labels_is_found_too(engine: Engine, github: GitHubService) -> None:
    """A token that may not set labels makes issues that no list by label has."""
    github.troubles["issues/create-label"] = Trouble(status=403)
    github.troubles[CREATE] = Trouble(is_processed=True, is_cut=True, times=1)
    bad(engine, "r0")
    deliver(engine, github)
    issue(github)["labels"] = []  # GitHub drops labels silently where the token may not set them
    github.troubles["issues/add-labels"] = Trouble(status=403)
    delivered(engine, github)
    assert list(github.issues.issues) == [1]


@pytest.mark.parametrize("operation", ["issues/create-label", "issues/list-labels-for-repo"])
def test_labels_that_are_refused_cost_no_issue(
    engine: Engine, github: GitHubService, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    """The log says so."""
    github.troubles[operation] = Trouble(status=403)
    bad(engine, "r0")
    with caplog.at_level(logging.WARNING):
        delivered(engine, github)
    assert list(github.issues.issues) == [1]
    assert "a label cannot be created: HTTP 403" in caplog.text


def test_an_issue_that_is_refused_with_labels_is_made_without(
    engine: Engine, github: GitHubService, caplog: pytest.LogCaptureFixture
) -> None:
    """Without labels rather than not at all."""
    github.troubles[CREATE] = Trouble(status=403, times=1)
    bad(engine, "r0")
    with caplog.at_level(logging.WARNING):
        delivered(engine, github)
    assert issue(github)["labels"] == []
    assert "issue 1 is filed without the labels load-test, performance" in caplog.text
    bad(engine, "r1")
    delivered(engine, github)
    assert len(issue(github)["labels"]) == 4


def test_peoples_labels_and_title_stay(engine: Engine, github: GitHubService) -> None:
    """An update adds the verdict's label beside them, and leaves the title alone."""
    bad(engine, "r0")
    delivered(engine, github)
    github.issues.add_labels(1, ["team-chat"])
    issue(github)["title"] = "Chat is slow"
    document = verdict(list(BAD), Reason("auto_stop_latency", "P95 of the last 60 s is at least 20,000 ms"))
    file(engine, "r1", document)
    with transaction(engine) as connection:  # one problem for this test
        connection.execute(delete(DELIVERY).where(DELIVERY.c.key.notlike("%/r0")))
        connection.execute(delete(TICKET).where(TICKET.c.metric == "auto_stop_latency"))
    bad(engine, "r2")
    delivered(engine, github)
    assert issue(github)["title"] == "Chat is slow"
    assert "team-chat" in [label["name"] for label in issue(github)["labels"]]


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_a_persons_closing_is_respected(
    engine: Engine, github: GitHubService, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    """Nothing is written into it, and the log says why."""
    bad(engine, "r0")
    delivered(engine, github)
    github.issues.change_issue(1, {"state": "closed", "state_reason": reason})
    before = dict(issue(github))
    bad(engine, "r1")
    with caplog.at_level(logging.INFO):
        delivered(engine, github)
    for number in range(2, 5):
        good(engine, f"r{number}")
    delivered(engine, github)
    assert (issue(github), comments(github)) == (before, [])
    assert f"issue 1 is left alone: it was closed as {reason.replace('_', ' ')}" in caplog.text


def test_closed_as_done_and_still_bad_it_is_opened_again(engine: Engine, github: GitHubService) -> None:
    """The person was mistaken."""
    bad(engine, "r0")
    delivered(engine, github)
    github.issues.change_issue(1, {"state": "closed", "state_reason": "completed"})
    bad(engine, "r1")
    delivered(engine, github)
    assert issue(github)["state"] == "open"


@pytest.mark.parametrize("status", [404, 410])
def test_a_deleted_issue_is_made_anew(engine: Engine, github: GitHubService, status: int) -> None:
    """And the history knows the new number."""
    bad(engine, "r0")
    delivered(engine, github)
    github.issues.add_issue(SOMEBODY, {"title": "another"})
    github.issues.issues.pop(1)
    github.troubles["issues/get"] = Trouble(status=status, times=1)
    bad(engine, "r1")
    delivered(engine, github)
    assert [number for number, _ in issues_of(engine, "r1")] == [3]
    assert issue(github, 3)["title"].startswith("Performance Regression Detected")


def test_a_history_that_was_lost_finds_the_issue_by_label_and_mark(engine: Engine, github: GitHubService) -> None:
    """A hundred others lie before it; one quotes the mark in its text and is not taken for it."""
    bad(engine, "r0")
    delivered(engine, github)
    mark = issue(github)["body"].splitlines()[0]
    for number in range(120):
        body = {"title": f"other {number}", "labels": ["load-test"], "body": f"quoted: `{mark}`"}
        github.issues.add_issue(SOMEBODY, body)
    with transaction(engine) as connection:
        connection.execute(delete(DELIVERY))
        connection.execute(delete(TICKET))
    bad(engine, "r1")
    delivered(engine, github)
    assert (github.count("issues/list-for-repo"), github.count("issues/get")) == (1 + 2, 1)
    assert (github.count(CREATE), [number for number, _ in issues_of(engine, "r1")]) == (1, [1])


def test_a_closing_that_finds_no_issue_makes_none(engine: Engine, github: GitHubService) -> None:
    """The opening was given up while GitHub was away."""
    bad(engine, "r0")
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).values(given_up_at=func.now()))
    for number in range(1, 4):
        good(engine, f"r{number}")
    delivered(engine, github)
    assert github.issues.issues == {}


def test_an_update_whose_opening_was_given_up_opens(engine: Engine, github: GitHubService) -> None:
    """The problem is still there."""
    bad(engine, "r0")
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).values(given_up_at=func.now()))
    bad(engine, "r1")
    delivered(engine, github)
    assert "in `r1`, profile" in issue(github)["body"]


def test_github_down_slow_and_limited_delays_but_loses_nothing(engine: Engine, github: GitHubService) -> None:
    """Each refusal leaves the rows in order; in the end there is one issue with its comments."""
    bad(engine, "r0")
    bad(engine, "r1")
    github.stop()
    assert deliver(engine, github).left == 2
    github.start()
    for trouble in (Trouble(status=500), Trouble(slow_s=2), Trouble(status=503, headers={"Retry-After": "1"})):
        github.troubles["*"] = trouble
        assert deliver(engine, github, call_s=0.5).left == 2
    github.troubles = {"*": too_many(1)}
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).values(not_before=None))
    assert deliver(engine, github).left == 2
    github.troubles = {}
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).values(not_before=None))
    assert deliver(engine, github, token="ghp_wrong").left == 2
    delivered(engine, github)
    assert (list(github.issues.issues), len(comments(github))) == ([1], 1)


def test_a_run_whose_verdict_changed_edits_its_own_comment(engine: Engine, github: GitHubService) -> None:
    """The closing that it brought is taken back in the same place."""
    bad(engine, "r0")
    for number in range(1, 4):
        good(engine, f"r{number}")
    delivered(engine, github)
    bad(engine, "r3")
    delivered(engine, github)
    assert (issue(github)["state"], len(comments(github))) == ("open", 1)
    assert comments(github)[0].startswith("**Back** in `r3`")


def test_the_alarms_self_test_is_marked_and_apart(engine: Engine, github: GitHubService) -> None:
    """Its title, its only label; a real problem of the same limit has an issue of its own."""
    document = verdict([slo("latency_p95_ms")])
    file(engine, "t0", document, target="alarm-selftest", is_test=True)
    bad(engine, "r0")
    delivered(engine, github)
    titles = {
        one["title"].split(":")[0]: [label["name"] for label in one["labels"]][:1]
        for one in github.issues.issues.values()
    }
    assert titles == {
        "[TEST] Performance Regression Detected": ["load-test-selftest"],
        "Performance Regression Detected": ["load-test"],
    }


def test_no_secret_is_in_what_is_kept(engine: Engine, github: GitHubService) -> None:
    """Payloads, receipts and errors of the outbox have no token, also of a refused one."""
    bad(engine, "r0", bundle_uri="s3://key:hunter2@host/x", link="https://user:hunter2@host/x")
    deliver(engine, github, token="ghp_wrong-hunter2")
    delivered(engine, github)
    kept = str(outbox.rows_of(engine, "r0")) + str(issue(github))
    assert "hunter2" not in kept
    assert TOKEN not in kept


STRANGERS = {
    "issue": "Customers cannot pay",
    "quoted mark": "See `<!-- load-test-ticket: {} -->`",
    "issue of an earlier generation": "<!-- load-test-ticket: {} 2 -->",
}


@pytest.mark.parametrize("text", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_strangers_issue_of_the_same_number_is_never_written(
    engine: Engine, github: GitHubService, text: str
) -> None:
    """The connection names another server now: its issue of that number stays as it is, and a new one says why."""
    with github_service() as before:
        bad(engine, "r0")
        delivered(engine, before)
    text = text.format(fingerprint(engine))
    github.issues.add_issue(SOMEBODY, {"title": "Payment", "body": text, "labels": ["load-test"]})
    theirs = dict(issue(github))
    for number, files in enumerate((bad, good, good, good), 1):
        files(engine, f"r{number}")
        delivered(engine, github)
    assert (issue(github), comments(github)) == (theirs, [])
    assert (list(github.issues.issues), issue(github, 2)["state"]) == ([1, 2], "closed")
    mark, _, note, *_ = issue(github, 2)["body"].splitlines()
    assert mark == f"<!-- load-test-ticket: {fingerprint(engine)} -->"
    assert note.startswith(f"The issue before this one, {REPOSITORY}#1, cannot be written any more")


def test_a_pull_request_of_that_number_is_no_issue(engine: Engine, github: GitHubService) -> None:
    """Even one whose text has the mark."""
    bad(engine, "r0")
    delivered(engine, github)
    mark = issue(github)["body"].splitlines()[0]
    github.issues.issues.clear()
    github.issues.add_pull(SOMEBODY, "A change", "a" * 40)
    issue(github)["body"] = mark
    theirs = dict(issue(github))
    bad(engine, "r1")
    delivered(engine, github)
    assert (issue(github), list(github.issues.issues)) == (theirs, [1, 2])


def test_a_number_of_another_repository_is_not_asked_for(engine: Engine, github: GitHubService) -> None:
    """The issue is looked for by label and mark; the history knows the repository from then on."""
    bad(engine, "r0")
    delivered(engine, github)
    with transaction(engine) as connection:
        connection.execute(update(TICKET).values(repository="owner/before", number=77))
    bad(engine, "r1")
    delivered(engine, github)
    assert (github.count("issues/get"), len(comments(github)), list(github.issues.issues)) == (1, 1, [1])
    assert issues_of(engine, "r1") == [(1, issue(github)["html_url"])]
    bad(engine, "r2")
    delivered(engine, github)
    assert (github.count("issues/get"), len(comments(github))) == (2, 2)


def test_a_new_issue_after_the_window_names_the_old_one_with_its_repository(
    engine: Engine, github: GitHubService
) -> None:
    """A bare number would be somebody else's issue in another repository."""
    bad(engine, "r0")
    delivered(engine, github)
    with transaction(engine) as connection:
        moment = func.now() - func.make_interval(0, 0, 0, 31)
        connection.execute(update(TICKET).values(state="closed", closed_at=moment, repository="owner/before"))
    bad(engine, "r1")
    delivered(engine, github)
    assert "told in owner/before#1 before" in issue(github, 2)["body"]


def test_text_around_the_mark_is_a_persons_right(engine: Engine, github: GitHubService) -> None:
    """With the mark it is still the issue; without it, it is a person's own, and the problem gets a new one."""
    bad(engine, "r0")
    delivered(engine, github)
    issue(github)["body"] = f"Anna looks at it.\r\n\r\n{issue(github)['body']}"
    bad(engine, "r1")
    delivered(engine, github)
    assert (list(github.issues.issues), len(comments(github))) == ([1], 1)
    issue(github)["body"] = "Anna's own text"
    bad(engine, "r2")
    delivered(engine, github)
    assert issue(github)["body"] == "Anna's own text"
    assert (list(github.issues.issues), len(comments(github))) == ([1, 2], 1)


REFUSALS = {
    "rate limit": too_many(1),
    "forbidden": Trouble(status=403),  # 401 and 404 are no other to a delivery: refused, and not done
    "done and broken": Trouble(status=502, is_processed=True),
    "cut": Trouble(is_cut=True),
    "done and cut": Trouble(is_cut=True, is_processed=True),
}
LIFE = (("b", "open", 0), ("b", "open", 1), ("ggg", "closed", 2), ("b", "open", 3))
"""Created, written anew, closed, opened again: bad and good runs, and the issue's state and comments after them."""


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_whichever_call_fails_and_however_each_event_is_told_once(
    engine: Engine, github: GitHubService, monkeypatch: pytest.MonkeyPatch, refusal: Trouble
) -> None:
    """The first call of each event fails, the second, … until there is none left: one issue, one comment an event."""
    place, most = 0, 1
    while most >= place:
        place, most = place + 1, 0
        for number, (runs, state, said) in enumerate(LIFE):
            for again, run in enumerate(runs):
                (bad if run == "b" else good)(engine, f"{place}-{number}-{again}", target=f"target-{place}")
            before = len(github.seen)
            fails_at(github, monkeypatch, before + place, refusal)
            deliver(engine, github)
            most = max(most, len(github.seen) - before)
            with transaction(engine) as connection:
                connection.execute(update(DELIVERY).values(not_before=None))
            delivered(engine, github)
            assert (len(github.issues.issues), len(comments(github, place))) == (place, said)
            assert issue(github, place)["state"] == state
    assert place > 4


def test_github_that_hangs_keeps_nobody_from_filing(engine: Engine, github: GitHubService) -> None:
    """No lock of profile and target, and none of the ticket's row, is held while GitHub is asked."""
    bad(engine, "r0")
    delivered(engine, github)
    bad(engine, "r1")
    github.troubles["issues/get"] = Trouble(slow_s=30, times=1)
    hanging = threading.Thread(target=deliver, args=(engine, github, 10), daemon=True)
    hanging.start()
    while github.count("issues/get") == 0:
        time.sleep(0.01)
    assert len(bad(engine, "r2")) == 1
    assert hanging.is_alive()
    github.closed.set()
    hanging.join()
    delivered(engine, github)
    assert len(comments(github)) == 2
