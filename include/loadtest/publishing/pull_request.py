"""A run's verdict where its change is reviewed: one comment of a pull request, and a check (or status) of its commit.

`upsert_comment` and `report_check` need a repository only; the rows of the outbox are for runs within Airflow.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from include.loadtest.history import outbox
from include.loadtest.publishing.delivery import Budget, Handler
from include.loadtest.publishing.github import GitHubSettings, github_errors, repository
from include.loadtest.publishing.github_refusals import listed, part, unreadable
from include.loadtest.publishing.github_text import link as as_link
from include.loadtest.publishing.pull_request_text import MARKER, pull_request_text, short
from include.loadtest.target.urls import without_passwords

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.Repository import Repository

Row = Mapping[str, Any]
PULL_REQUEST, COMMIT_CHECK = "pull_request", "commit_check"
CHECK_NAME = "load-test"
"""Name of the check run, and context of the status: what a branch's protection may require."""
STATUS_CHARS = 140
"""GitHub's limit of a status' description."""
_AUTO_STOPS = frozenset({"auto_stop_errors", "auto_stop_latency"})


@dataclass(frozen=True)
class Check:
    """What a commit is told: `conclusion` of a check run, `state` of a status; `url`: where to read on."""

    sha: str
    conclusion: str
    state: str
    title: str
    summary: str
    url: str | None


def conclusion_of(verdict: Row) -> tuple[str, str]:
    """Conclusion of a check run and state of a status.

    A run that says nothing about the product is "action_required", not "failure": somebody has to repair or repeat the
    test, nobody is told that the change is bad; and unlike "neutral" it does not let a required check pass. A status
    knows no such word, there it is "error"; WARN is "success" there, its words say the rest.
    """
    word = str(verdict["verdict"])
    codes = {reason["code"] for reason in verdict.get("reasons") or ()}
    if word in ("SLA_BREACH", "REGRESSION") or (word == "ABORTED" and codes & _AUTO_STOPS):
        return "failure", "failure"
    return {"PASS": ("success", "success"), "WARN": ("neutral", "success")}.get(word, ("action_required", "error"))


def check_of(verdict: Row, sha: str, text: str, url: str | None) -> Check:
    """The check of a commit; `text`: of `pull_request_text`."""
    conclusion, state = conclusion_of(verdict)
    return Check(sha, conclusion, state, short(verdict, STATUS_CHARS), text, _address(url))


def _address(url: str | None) -> str | None:
    """An address that may be shown; with a password masked it would lead nowhere, so then there is none."""
    if url is None or not as_link("", url) or without_passwords(url) != url:
        return None
    return None if re.match(r"https?://[^/?#]*@", url) else url


def put_pull_request(
    engine: Engine,
    *,
    number: int | None,
    sha: str | None,
    verdict: Row,
    metrics: Row | None,
    comparison: Row | None,
    diagnosis: Row | None,
    link: str | None,
    report_url: str | None,
) -> None:
    """Have a run told at its pull request and commit, whichever is known; what an earlier run told is replaced.

    `link`: address of the DAG run; `report_url`: of the published report; None for none.
    """
    text = pull_request_text(
        verdict=verdict,
        metrics=metrics,
        comparison=comparison,
        diagnosis=diagnosis,
        link_to_run=link,
        report_url=report_url,
        commit=sha,
    )
    run_id = str(verdict["run_id"])
    if number is not None:
        key = f"github/pull-request/{number}"
        _put(engine, key, PULL_REQUEST, run_id, {"number": number, "text": text})
    if sha is not None:
        check = check_of(verdict, sha, text, report_url or link)
        _put(engine, f"github/check/{sha}", COMMIT_CHECK, run_id, asdict(check))


def _put(engine: Engine, key: str, kind: str, run_id: str, payload: dict[str, Any]) -> None:
    row = outbox.Delivery(key=key, service="github", kind=kind, lane=key, subject=run_id, payload=payload)
    outbox.put(engine, row)


def pull_request_handlers(settings: GitHubSettings) -> dict[str, Handler]:
    """Who delivers the rows of `put_pull_request`.

    Receipts: {"comment": its id, "url": where it is read}; {"check_run": its id or null, "url": the same}.
    """
    return {PULL_REQUEST: partial(_comment, settings), COMMIT_CHECK: partial(_check, settings)}


def _comment(settings: GitHubSettings, row: outbox.Row, budget: Budget) -> Mapping[str, Any]:
    with github_errors():
        own = repository(settings, budget)
        return upsert_comment(own, row.payload["number"], row.payload["text"], row.receipt.get("comment"))


def _check(settings: GitHubSettings, row: outbox.Row, budget: Budget) -> Mapping[str, Any]:
    with github_errors():
        return report_check(repository(settings, budget), Check(**row.payload), row.receipt.get("check_run"))


def upsert_comment(own: "Repository", number: int, text: str, known: int | None = None) -> dict[str, Any]:
    """Write the one comment of a pull request: ours from before is changed, or else one is made.

    `known`: the comment's id, if it was told before; else it is looked for, so repeating a call whose answer was lost
    makes no second one. Returns the receipt. Raises DeliveryError, OutOfTime and PyGithub's exceptions.
    """
    from github import UnknownObjectException

    body = {"body": f"{MARKER}\n{text}"}
    if known is not None:
        try:
            return _written(own, "PATCH", f"issues/comments/{known}", body)
        except UnknownObjectException:
            pass  # somebody has deleted it
    earlier = _own_comment(own, number)
    if earlier is not None:
        return _written(own, "PATCH", f"issues/comments/{earlier.id}", body)
    return _written(own, "POST", f"issues/{number}/comments", body)


def _written(own: "Repository", verb: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    _, answer = own.requester.requestJsonAndCheck(verb, f"{own.url}/{path}", input=body)
    return {"comment": part(answer, "id"), "url": part(answer, "html_url")}


def _own_comment(own: "Repository", number: int) -> "IssueComment | None":
    """The first comment with our marker that we wrote ourselves: anybody may copy a marker."""
    from github.IssueComment import IssueComment
    from github.PaginatedList import PaginatedList

    pages = PaginatedList(IssueComment, own.requester, f"{own.url}/issues/{number}/comments", None)
    try:
        marked = [comment for comment in pages if (comment.body or "").startswith(MARKER) and comment.user]
    except (TypeError, AttributeError):  # PyGithub takes any document for a list
        raise unreadable(may_have_arrived=False) from None
    if not marked:
        return None
    login = _login(own)
    return next((one for one in marked if (one.user.type == "Bot" if login is None else one.user.login == login)), None)


def _login(own: "Repository") -> str | None:
    """Our user's name; None for the token of an App or a workflow, which is no user and writes as a bot."""
    from github import GithubException

    try:
        _, user = own.requester.requestJsonAndCheck("GET", "/user")
    except GithubException as refused:
        if refused.status != 403:
            raise
        return None
    return str(part(user, "login"))


def report_check(own: "Repository", check: Check, known: int | None = None) -> dict[str, Any]:
    """Tell a commit its verdict: as a check run, or where the token may not make one (403), as a status.

    `known` as in `upsert_comment`. Of several statuses GitHub shows the newest, so repeating one changes nothing.
    Returns the receipt. Raises DeliveryError, OutOfTime and PyGithub's exceptions.
    """
    from github import GithubException

    try:
        return _check_run(own, check, known)
    except GithubException as refused:
        if refused.status != 403:
            raise
    body = {"state": check.state, "context": CHECK_NAME, "description": check.title}
    body |= {"target_url": check.url} if check.url else {}
    own.requester.requestJsonAndCheck("POST", f"{own.url}/statuses/{check.sha}", input=body)
    return {"check_run": None, "url": check.url}


def _check_run(own: "Repository", check: Check, known: int | None) -> dict[str, Any]:
    number = _known_run(own, check.sha) if known is None else known
    body: dict[str, Any] = {
        "status": "completed",
        "conclusion": check.conclusion,
        "output": {"title": check.title, "summary": check.summary},
        **({"details_url": check.url} if check.url else {}),
    }
    path = f"{own.url}/check-runs"
    if number is None:
        made = {"name": CHECK_NAME, "head_sha": check.sha, "external_id": _external_id(check.sha)}
        _, answer = own.requester.requestJsonAndCheck("POST", path, input=made | body)
    else:
        _, answer = own.requester.requestJsonAndCheck("PATCH", f"{path}/{number}", input=body)
    return {"check_run": part(answer, "id"), "url": part(answer, "html_url")}


def _known_run(own: "Repository", sha: str) -> int | None:
    """Our check run of that commit; one of the same name may be another App's."""
    place, name = f"{own.url}/commits/{sha}/check-runs", {"check_name": CHECK_NAME}
    _, answer = own.requester.requestJsonAndCheck("GET", place, parameters=name)
    runs = listed(answer, "check_runs")
    own_runs = (part(run, "id") for run in runs if part(run, "external_id") == _external_id(sha))
    return next(own_runs, None)


def _external_id(sha: str) -> str:
    return f"load-test/{sha}"
