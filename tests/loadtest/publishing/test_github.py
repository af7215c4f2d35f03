"""A repository on GitHub: bounded in time, and its errors say who has to do what, without a secret."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from github.Repository import Repository

from include.loadtest.errors import ConfigError
from include.loadtest.publishing.delivery import Budget, DeliveryError, OutOfTime
from include.loadtest.publishing.github import API_URL, GitHubSettings, github_errors, repository, settings_from
from include.loadtest.publishing.github_refusals import Source
from tests.helpers.github_service import REPOSITORY, TOKEN, GitHubService, Trouble, github_service, too_many

pytestmark = pytest.mark.integration
CALL_S, LONG_S = 1.0, 20.0
"""A call that is cut, and one that no busy machine makes too long."""
NO_BRANCHES = ("a..b", "-f", "a.lock", "a.lock/b", "refs/heads/x", ".a", "a/.b", "a//b", "a/", "a.", "@", "a b", "a~1")
GARBAGE = "<html>Sign in to the network"


@pytest.fixture
def github() -> Iterator[GitHubService]:
    with github_service() as service:
        yield service
        assert service.faults == []


def at(github: GitHubService, token: str = TOKEN, name: str = REPOSITORY, budget: Budget | None = None) -> Repository:
    return repository(GitHubSettings.checked(token, name, github.url), budget or Budget(120, LONG_S))


def read(own: Repository) -> object:
    return own.get_issue(1)


def write(own: Repository) -> object:
    return own.create_issue("A title", "A body")


def failing(own: Repository, act: Callable[[Repository], object]) -> DeliveryError:
    """What a call fails with; its text has no secret and is one line."""
    with pytest.raises(DeliveryError) as caught, github_errors():
        act(own)
    text = str(caught.value)
    assert TOKEN not in text + repr(caught.value)
    assert "\n" not in text
    assert caught.value.__cause__ is None
    return caught.value


def test_a_call_arrives_with_what_github_asks_for(github: GitHubService) -> None:
    """The token, the version and a name of the program go with it; getting a repository asks nothing."""
    own = at(github)
    assert github.seen == []
    with github_errors():
        assert own.create_issue("A title", "A body").number == 1
    assert github.seen == ["issues/create"]


def test_writes_follow_each_other_without_a_pause(github: GitHubService, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyGithub waits a second after each write by itself: the time belongs to the budget."""
    pauses: list[float] = []
    monkeypatch.setattr("github.Requester.time", SimpleNamespace(sleep=pauses.append))
    own = at(github)
    for _ in range(3):
        write(own)
    assert github.seen == ["issues/create"] * 3
    assert pauses == []


@pytest.mark.parametrize(
    ("trouble", "act", "may_have_arrived"),
    [
        (Trouble(slow_s=30), read, False),
        (Trouble(slow_s=30), write, True),
        (Trouble(is_dripping=True), write, True),
        (Trouble(is_cut=True), write, True),
        (Trouble(is_cut=True), read, False),
        (Trouble(status=500), write, True),
        (Trouble(status=502, content=GARBAGE), write, True),
        (Trouble(status=201, content=GARBAGE), write, True),
        (Trouble(status=201, content="{broken"), write, True),
        (Trouble(status=500), read, False),
    ],
)
def test_a_service_that_fails_is_named_in_time(
    github: GitHubService, trouble: Trouble, act: Callable[[Repository], object], may_have_arrived: bool
) -> None:
    """A hanging, dripping, cut or broken answer: within the call's time, and a write may have arrived."""
    github.troubles["*"] = trouble
    started = time.monotonic()
    error = failing(at(github, budget=Budget(60, CALL_S)), act)
    assert error.may_have_arrived is may_have_arrived
    assert error.is_service_wide
    assert not error.is_permanent
    assert time.monotonic() - started < 20  # of the 30 s that the answer would take


def test_a_service_that_refuses_connections_got_nothing(github: GitHubService) -> None:
    """What was never sent cannot have arrived."""
    own = at(github)
    github.stop()
    error = failing(own, write)
    assert "Connection refused" in str(error)
    assert not error.may_have_arrived


@pytest.mark.parametrize(
    ("trouble", "wait_s"),
    [
        (too_many(7), 7),
        (too_many(7, status=403), 7),
        (too_many(None), 60),
        (too_many(None, status=403), None),
        (Trouble(403, content='{"message": "You have exceeded a secondary rate limit."}'), 60),
        (Trouble(503, {"Retry-After": "9"}), 9),
        (Trouble(429, {"Retry-After": "soon"}), 60),
    ],
)
def test_a_wait_that_github_asks_for_is_kept(github: GitHubService, trouble: Trouble, wait_s: float | None) -> None:
    """From Retry-After; a rate limit without it is a minute; a plain 403 asks for none."""
    github.troubles["*"] = trouble
    error = failing(at(github), write)
    assert error.retry_after_s == wait_s
    assert error.is_service_wide is (wait_s is not None)


def test_a_used_up_hour_ends_when_github_says(github: GitHubService) -> None:
    """The primary limit names a moment, not a duration; it is counted from the answer's own clock."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 90)}
    github.troubles["*"] = Trouble(403, headers)
    wait_s = failing(at(github), write).retry_after_s
    assert wait_s is not None
    assert 60 <= wait_s <= 91


def test_a_refusal_says_what_to_do(github: GitHubService) -> None:
    """A wrong token is the service's, a wrong repository or number is not; only broken rules are for ever."""
    wrong = failing(at(github, token="ghp_wrong"), write)
    assert "valid token" in str(wrong)
    assert "ghp_wrong" not in str(wrong)
    assert wrong.is_service_wide
    missing = failing(at(github, name="example/other"), write)
    assert "check the repository" in str(missing)
    assert not missing.is_service_wide
    assert not missing.is_permanent
    broken = failing(at(github), lambda own: own.create_issue("t" * 300))
    assert broken.is_permanent
    assert "title invalid" in str(broken)
    assert "fault of this program" in str(broken)


def test_without_time_nothing_is_asked(github: GitHubService) -> None:
    """A call that could only be cut off is not begun."""
    budget = Budget(0.5, CALL_S)
    own = at(github, budget=budget)
    time.sleep(0.3)
    with pytest.raises(OutOfTime), github_errors():
        write(own)
    assert github.seen == []
    assert budget.calls == 0  # so nothing can have arrived


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"token": ""}, "no token"),
        ({"repository": None}, "no repository"),
        ({"token": "two words"}, "password"),
        ({"repository": "assistant"}, "owner/name"),
        ({"repository": "example/../x"}, "owner/name"),
        ({"repository": "example/.."}, "owner/name"),
        ({"repository": "example/."}, "owner/name"),
        ({"repository": "example/assistant.git"}, "owner/name"),
        ({"repository": "-example/assistant"}, "owner/name"),
        ({"base_url": "http://github.example"}, "https://"),
        ({"base_url": "https://user:secret@github.example"}, "without credentials"),
        ({"base_url": "github.example"}, "no URL"),
        *(({"pages_branch": name}, "no name of a branch") for name in NO_BRANCHES),
        *(({"pages_branch": name}, "such as gh-pages") for name in ("main", "master", "Main", "HEAD")),
        ({"pages_url": "ftp://x"}, "https://"),
    ],
)
def test_settings_that_cannot_work_are_refused(fields: dict[str, str | None], named: str) -> None:
    """With the connection's field, never its content."""
    with pytest.raises(ConfigError, match="loadtest_github") as caught:
        GitHubSettings.checked(**{"token": TOKEN, "repository": REPOSITORY, **fields})
    assert named in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("branch", ["gh-pages", "pages/load-tests", "a.locked", "main-pages", "reports_2026.1"])
def test_a_branch_of_its_own_is_taken(branch: str) -> None:
    """Whatever git takes, but for its rarer signs."""
    assert GitHubSettings.checked(TOKEN, REPOSITORY, pages_branch=branch).pages_branch == branch


@pytest.mark.parametrize(
    "fields",
    [
        {"token": ""},
        {"token": "two words"},
        {"repository": ""},
        {"repository": "x"},
        {"base_url": "x"},
        {"pages_branch": "main"},
        {"pages_url": "x"},
    ],
)
def test_settings_from_elsewhere_are_named_as_they_are_there(fields: dict[str, str]) -> None:
    """A workflow has no connection."""
    there = Source(*(f"PLACE_{name}" for name in ("token", "repository", "base_url", "pages_branch", "pages_url")))
    with pytest.raises(ConfigError) as caught:
        GitHubSettings.checked(**{"token": TOKEN, "repository": REPOSITORY, **fields}, source=there)
    assert f"PLACE_{next(iter(fields))}" in str(caught.value)
    assert "connection" not in str(caught.value)


def test_settings_come_from_the_connection() -> None:
    """Password, host and extra; what is empty has its default; the token is not shown."""
    extra = {"repository": REPOSITORY, "pages_branch": "gh-pages", "pages_url": "https://example.github.io/assistant"}
    settings = settings_from(TOKEN, "", extra)
    assert (settings.base_url, settings.pages_branch) == (API_URL, "gh-pages")
    assert TOKEN not in repr(settings)
    assert (
        settings_from(TOKEN, "http://127.0.0.1:8080/", {"repository": REPOSITORY}).base_url == "http://127.0.0.1:8080"
    )
    with pytest.raises(ConfigError, match="did you mean repository"):
        settings_from(TOKEN, None, {"repositry": REPOSITORY})
    with pytest.raises(ConfigError, match="text in quotes"):
        settings_from(TOKEN, None, {"repository": 7})
