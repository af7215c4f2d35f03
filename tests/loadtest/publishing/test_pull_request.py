"""A pull request has one comment of ours and a commit one check, however often and with whatever faults it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from include.loadtest.history import outbox
from include.loadtest.history.outbox import Row
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.pages import publish_page
from include.loadtest.publishing.pages_branch import Publication
from include.loadtest.publishing.pages_index import IndexEntry
from include.loadtest.publishing.pull_request import (
    CHECK_NAME,
    MARKER,
    check_of,
    conclusion_of,
    pull_request_handlers,
    put_pull_request,
)
from include.loadtest.verdict import Reason
from tests.helpers.github_git import Refused
from tests.helpers.github_issues import User
from tests.helpers.github_service import (
    BOT,
    REPOSITORY,
    TOKEN,
    USER,
    WORKFLOW_TOKEN,
    GitHubService,
    Trouble,
    github_service,
)
from tests.helpers.slack_messages import MET, METRICS, document, slo

pytestmark = pytest.mark.integration
LINK = "https://airflow.example/run"


@pytest.fixture
def github() -> Iterator[GitHubService]:
    """With pull request number 1."""
    with github_service() as service:
        service.issues.add_pull(User("somebody"), "A change", service.api.head)
        yield service
        assert service.faults == []


def deliver(github: GitHubService, kind: str, payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a handler answers for a row that is tried now."""
    token = changes.pop("token", TOKEN)
    now = datetime.now(UTC)
    values = {"version": 1, "delivered_version": 0, "receipt": {}, "attempts": 0, "may_have_arrived": False}
    moments = {"next_attempt": now, "created": now, "updated": now}
    absent = dict.fromkeys(set(Row.__dataclass_fields__) - values.keys() - moments.keys())
    named = {"id": 1, "key": "k", "service": "github", "kind": kind, "lane": "k", "subject": "smoke-1"}
    row = Row(**{**absent, **values, **moments, **named, "payload": payload, **changes})
    handler = pull_request_handlers(GitHubSettings.checked(token, REPOSITORY, github.url))[kind]
    return dict(handler(row, Budget(20, 2)))


def comments(github: GitHubService) -> list[str]:
    return [comment["body"] for comment in github.issues.of_issue(1)]


@pytest.mark.parametrize("token", [TOKEN, WORKFLOW_TOKEN])
def test_a_second_run_changes_the_comment_of_the_first(github: GitHubService, token: str) -> None:
    """With and without what was told before: by its id, or found by marker and author."""
    first = deliver(github, "pull_request", {"number": 1, "text": "one"}, token=token)
    deliver(github, "pull_request", {"number": 1, "text": "two"}, token=token, receipt=first)
    deliver(github, "pull_request", {"number": 1, "text": "three"}, token=token)
    assert comments(github) == [f"{MARKER}\nthree"]
    assert first["url"].endswith(f"/pull/1#issuecomment-{first['comment']}")


def test_a_comment_that_others_marked_is_left_alone(github: GitHubService) -> None:
    """A marker can be copied, and quoted; among 130 comments ours is found again."""
    github.issues.add_comment(User("somebody"), 1, f"{MARKER}\ncopied")
    github.issues.add_comment(USER, 1, f"> {MARKER}\nquoted by us")
    for number in range(130):
        github.issues.add_comment(User("somebody"), 1, f"talk {number}")
    deliver(github, "pull_request", {"number": 1, "text": "one"})
    deliver(github, "pull_request", {"number": 1, "text": "two"})
    found = comments(github)
    assert len(found) == 133
    assert found[0] == f"{MARKER}\ncopied"
    assert found[-1] == f"{MARKER}\ntwo"


def test_a_workflow_changes_no_comment_of_a_person(github: GitHubService) -> None:
    """Its token is no user: it knows its own comments by their being a bot's."""
    github.issues.add_comment(User("somebody"), 1, f"{MARKER}\ncopied")
    deliver(github, "pull_request", {"number": 1, "text": "one"}, token=WORKFLOW_TOKEN)
    deliver(github, "pull_request", {"number": 1, "text": "two"}, token=WORKFLOW_TOKEN)
    assert comments(github) == [f"{MARKER}\ncopied", f"{MARKER}\ntwo"]
    assert github.issues.of_issue(1)[1]["user"]["login"] == BOT.login


def test_a_comment_whose_answer_was_lost_is_not_made_twice(github: GitHubService) -> None:
    """The service took it and then failed: the next attempt looks first."""
    github.troubles["issues/create-comment"] = Trouble(status=500, is_processed=True, times=1)
    with pytest.raises(DeliveryError) as caught:
        deliver(github, "pull_request", {"number": 1, "text": "one"})
    assert caught.value.may_have_arrived
    deliver(github, "pull_request", {"number": 1, "text": "one"}, may_have_arrived=True)
    assert comments(github) == [f"{MARKER}\none"]


def test_a_deleted_comment_is_made_again(github: GitHubService) -> None:
    """Somebody may tidy up."""
    first = deliver(github, "pull_request", {"number": 1, "text": "one"})
    del github.issues.comments[first["comment"]]
    deliver(github, "pull_request", {"number": 1, "text": "two"}, receipt=first)
    assert comments(github) == [f"{MARKER}\ntwo"]


def test_a_missing_pull_request_is_said(github: GitHubService) -> None:
    """In one line, and the service is not given up for it."""
    with pytest.raises(DeliveryError, match="404") as caught:
        deliver(github, "pull_request", {"number": 77, "text": "one"})
    assert not caught.value.is_service_wide
    with pytest.raises(Refused):
        github.issues.of_issue(77)


def check(github: GitHubService, verdict: dict[str, Any] | None = None, text: str = "text") -> dict[str, Any]:
    return vars(check_of(verdict or document(MET), github.api.head, text, LINK)).copy()


def test_a_commit_has_one_check_run_which_is_renewed(github: GitHubService) -> None:
    """Also where the first answer was lost; another App's check of that name is left alone."""
    foreign = {"name": CHECK_NAME, "head_sha": github.api.head, "status": "completed", "conclusion": "success"}
    github.api.checks_create(user=BOT, body=foreign)
    github.troubles["checks/create"] = Trouble(is_cut=True, is_processed=True, times=1)
    with pytest.raises(DeliveryError):
        deliver(github, "commit_check", check(github), token=WORKFLOW_TOKEN)
    first = deliver(github, "commit_check", check(github), token=WORKFLOW_TOKEN, may_have_arrived=True)
    bad = check(github, document([slo("latency_p95_ms", "missed", 6789, 3000)]), "more")
    deliver(github, "commit_check", bad, token=WORKFLOW_TOKEN, receipt=first)
    assert [(run["conclusion"], run["output"]["summary"]) for run in github.api.checks] == [
        ("success", None),
        ("failure", "more"),
    ]
    assert github.api.checks[1]["details_url"] == LINK
    assert github.api.statuses == []


def test_a_personal_token_gives_a_status_with_the_same_words(github: GitHubService) -> None:
    """Only an App may make a check run."""
    told = check(github)
    deliver(github, "commit_check", told)
    deliver(github, "commit_check", told)
    shown = {(status["state"], status["context"], status["description"]) for status in github.api.statuses}
    assert shown == {("success", CHECK_NAME, told["title"])}
    assert github.api.statuses[0]["target_url"] == LINK
    assert github.api.checks == []


@pytest.mark.parametrize("url", ["https://u:pw@x.example/y", "https://token@x.example/y", "https://x/?password=pw"])
def test_an_address_with_credentials_is_not_shown(github: GitHubService, url: str) -> None:
    """Masked it would lead nowhere, so the check has none."""
    told = check_of(document(MET), github.api.head, "text", url)
    assert told.url is None
    deliver(github, "commit_check", vars(told), token=WORKFLOW_TOKEN)
    assert "pw" not in str(github.api.checks)


@pytest.mark.parametrize("content", ["{}", "[]", '{"message": "x"}', '{"check_runs": 7}', '[{"id": 1}]'])
@pytest.mark.parametrize("kind", ["pull_request", "commit_check"])
def test_an_answer_that_is_none_of_githubs_is_said(github: GitHubService, content: str, kind: str) -> None:
    """A gateway answers 200 with a document of its own."""
    payload = {"number": 1, "text": "one"} if kind == "pull_request" else check(github)
    github.troubles["*"] = Trouble(200, content=content)
    with pytest.raises(DeliveryError, match="answer is unreadable"):
        deliver(github, kind, payload)


def test_a_locked_conversation_is_said(github: GitHubService) -> None:
    """In GitHub's words: no permission of a token is missing."""
    words = '{"message": "Unable to create comment because issue is locked."}'
    github.troubles["issues/create-comment"] = Trouble(403, content=words)
    with pytest.raises(DeliveryError, match=r"because issue is locked \(HTTP 403\); unlock the conversation"):
        deliver(github, "pull_request", {"number": 1, "text": "one"})


def test_a_github_of_ones_own_is_reached_below_its_path() -> None:
    """Comments over several pages, our user, a check and a page: all of them within `/api/v3`."""
    with github_service("/api/v3") as github:
        github.issues.add_pull(User("somebody"), "A change", github.api.head)
        for number in range(101):
            github.issues.add_comment(User("somebody"), 1, f"talk {number}")
        deliver(github, "pull_request", {"number": 1, "text": "one"})
        deliver(github, "pull_request", {"number": 1, "text": "two"})
        deliver(github, "commit_check", check(github))
        assert comments(github)[101:] == [f"{MARKER}\ntwo"]
        assert len(github.api.statuses) == 1
        settings = GitHubSettings.checked(TOKEN, REPOSITORY, github.url, "gh-pages")
        publish_page(settings, Publication(IndexEntry("smoke-1"), {"index.html": "x"}), Budget(20, 5))
        assert "load-tests/smoke-1/index.html" in github.git.content("gh-pages")
        assert github.faults == []


def test_a_rate_limit_is_not_taken_for_a_missing_right(github: GitHubService) -> None:
    """Both are 403: with a wait nothing else is tried."""
    github.troubles["checks/list-for-ref"] = Trouble(403, {"Retry-After": "30"})
    with pytest.raises(DeliveryError) as caught:
        deliver(github, "commit_check", check(github))
    assert caught.value.retry_after_s == 30
    assert github.api.statuses == []


@pytest.mark.parametrize(
    ("verdict", "code", "expected"),
    [
        ("PASS", None, ("success", "success")),
        ("WARN", None, ("neutral", "success")),
        ("SLA_BREACH", None, ("failure", "failure")),
        ("REGRESSION", None, ("failure", "failure")),
        ("ABORTED", "auto_stop_errors", ("failure", "failure")),
        ("ABORTED", "operator", ("action_required", "error")),
        ("INCONCLUSIVE", None, ("action_required", "error")),
    ],
)
def test_a_run_that_says_nothing_lets_nothing_pass_and_blames_nobody(
    verdict: str, code: str | None, expected: tuple[str, str]
) -> None:
    """A required check passes with "neutral": INCONCLUSIVE is "action_required", a stop by the target a failure."""
    reasons = [{"code": code, "text": ""}] if code else []
    assert conclusion_of({"verdict": verdict, "reasons": reasons}) == expected


def test_a_run_is_told_through_the_outbox(github: GitHubService, engine: Engine) -> None:
    """Comment and check arrive; the next run's replace them; the rows are about the run."""
    courier = Courier(engine, pull_request_handlers(GitHubSettings.checked(TOKEN, REPOSITORY, github.url)))
    reason = Reason("slo_missed", "P95 is too slow", "latency_p95_ms", "all")
    for run_id, slos, reasons in (("smoke-1", MET, []), ("smoke-2", MET, [reason])):
        put_pull_request(
            engine,
            number=1,
            sha=github.api.head,
            verdict=document(slos, *reasons, run_id=run_id),
            metrics=METRICS,
            comparison=None,
            diagnosis=None,
            link=LINK,
            report_url=None,
        )
        outcome = courier.deliver(within_s=20, call_s=5)
        assert (outcome.delivered, outcome.failed, outcome.left) == (2, (), 0)
    (only,) = comments(github)
    assert "smoke-2" in only
    assert "P95 is too slow" in only
    assert {row.kind for row in outbox.rows_of(engine, "smoke-2")} <= {"pull_request", "commit_check"}
    assert github.api.statuses[-1]["state"] == "failure"
