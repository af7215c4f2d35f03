"""Requests to GitHub go to one server only, end in time, and an answer that is none is never taken for one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from github import GithubException

from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime
from include.loadtest.publishing.github_refusals import CONNECTION
from include.loadtest.publishing.github_requester import requester
from tests.helpers.github_service import REPOSITORY, TOKEN, USER, GitHubService, Trouble, github_service

pytestmark = pytest.mark.integration
R = f"/repos/{REPOSITORY}"
LONG_S = 20.0


@pytest.fixture
def github() -> Iterator[GitHubService]:
    with github_service() as service:
        service.issues.add_issue(USER, {"title": "first"})
        yield service
        assert service.faults == []


@pytest.fixture
def other() -> Iterator[GitHubService]:
    """Another server, which has to get nothing."""
    with github_service() as service:
        yield service
        assert service.seen == []


Ask = Callable[..., Any]


@pytest.fixture
def ask(github: GitHubService) -> Ask:
    """`ask(verb, path, **of_the_request)`: the answer's document."""

    def asked(verb: str, url: str, budget: Budget | None = None, **fields: Any) -> Any:
        asking = requester(TOKEN, github.url, CONNECTION, budget or Budget(120, LONG_S))
        return asking.requestJsonAndCheck(verb, url, **fields)[1]

    return asked


def write(ask: Ask, **fields: Any) -> Any:
    return ask("POST", f"{R}/issues", input={"title": "second"}, **fields)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_here", [True, False])
def test_a_repository_that_has_moved_is_said(
    github: GitHubService, other: GitHubService, ask: Ask, status: int, is_here: bool
) -> None:
    """Neither followed nor taken for success, be the new address here or elsewhere: a person repairs the setting."""
    place = f"{(github if is_here else other).url}/repositories/1/issues"
    github.troubles["*"] = Trouble(status, {"Location": place}, f'{{"message": "Moved", "url": "{place}"}}')
    for act in (lambda: write(ask), lambda: ask("GET", f"{R}/issues")):
        with pytest.raises(
            DeliveryError, match="the repository has moved: put its present name into the extra"
        ) as caught:
            act()
        error = caught.value
        assert (error.is_service_wide, error.is_permanent, error.may_have_arrived) == (True, False, False)
    assert github.seen == ["issues/create", "issues/list-for-repo"]


def test_a_transferred_issue_is_gone_as_a_deleted_one_is(github: GitHubService, ask: Ask) -> None:
    """GitHub answers 301 for the single issue: the repository itself has not moved."""
    github.troubles["issues/get"] = Trouble(301, {"Location": f"{github.url}/repositories/2/issues/9"})
    with pytest.raises(GithubException) as caught:
        ask("GET", f"{R}/issues/1")
    assert caught.value.status == 410


@pytest.mark.parametrize(
    "address", ["http://{0}/x", "https://{0}/x", "//{0}/x", "http://127.0.0.1@{0}/x", "http://[{0}"]
)
def test_the_token_goes_to_no_other_server(github: GitHubService, other: GitHubService, address: str) -> None:
    """Whatever an answer names as the next page or as an issue's address."""
    asking = requester(TOKEN, github.url, CONNECTION, Budget(120, LONG_S))
    url = address.format(other.url.removeprefix("http://"))
    # An address without a scheme is a path, and asked for here.
    with pytest.raises((DeliveryError, GithubException)):
        asking.requestJsonAndCheck("GET", url)
    assert len(github.seen) == (1 if address.startswith("//") else 0)
    github.faults.clear()


def test_the_token_goes_to_its_server_by_https_only(other: GitHubService) -> None:
    """A link of the same server that says http:// would carry it in clear."""
    base = other.url.replace("http://", "https://")
    asking = requester(TOKEN, base, CONNECTION, Budget(120, LONG_S))
    with pytest.raises(DeliveryError, match="names an address of another server") as caught:
        asking.requestJsonAndCheck("GET", f"{other.url}{R}/issues")
    assert not caught.value.is_service_wide


def test_an_address_of_the_same_server_is_asked(github: GitHubService, ask: Ask) -> None:
    """As GitHub names the next page, and PyGithub an issue."""
    assert ask("GET", f"{github.url}{R}/issues/1")["number"] == 1


@pytest.mark.parametrize("content", ["null", '""', '"x"', "3", "", "true", "<html>", "{"])
def test_an_answer_that_is_no_document_is_unreadable(github: GitHubService, ask: Ask, content: str) -> None:
    """PyGithub would hand it on; what a write has done is then not known."""
    github.troubles["*"] = Trouble(200, content=content)
    for act, may_have_arrived in ((lambda: write(ask), True), (lambda: ask("GET", f"{R}/issues/1"), False)):
        with pytest.raises(DeliveryError, match="answer is unreadable; check the host of connection") as caught:
            act()
        assert caught.value.may_have_arrived is may_have_arrived


def test_a_call_that_the_budget_cuts_short_blames_nobody(github: GitHubService, ask: Ask) -> None:
    """So little time says nothing about GitHub; the row is tried another time."""
    github.troubles["*"] = Trouble(slow_s=30)
    budget = Budget(0.8, LONG_S)
    with pytest.raises(OutOfTime):
        write(ask, budget=budget)


def test_a_call_that_had_its_time_is_said_with_it(github: GitHubService, ask: Ask) -> None:
    """Also where that is less than a second: there was time for more."""
    github.troubles["*"] = Trouble(slow_s=30)
    with pytest.raises(DeliveryError, match=r"has not answered within 0\.6 s") as caught:
        write(ask, budget=Budget(120, 0.6))
    assert caught.value.may_have_arrived
