"""A repository on GitHub, by PyGithub: bounded in time, without retries of its own, its errors in words for people."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.publishing import GITHUB_CONNECTION
from include.loadtest.publishing.delivery import Budget
from include.loadtest.publishing.github_refusals import CONNECTION, Source, of_request, unreadable
from include.loadtest.publishing.github_requester import requester

if TYPE_CHECKING:
    from github.Repository import Repository

API_URL = "https://api.github.com"
_EXTRA_KEYS = ("repository", "pages_branch", "pages_url")
_OWNER, _NAME = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", r"(?!\.{1,2}$)(?!.*\.git$)[A-Za-z0-9_.-]{1,100}"
_BRANCH = re.compile(
    r"(?!refs/)"
    r"(?!.*(?:^|/)\.)(?!.*(?:\.\.|//|[/.]$))"  # a part that begins with a dot, an empty part, a dot or slash at the end
    r"(?!.*\.lock(?:/|$))"
    r"\w[\w./-]{0,99}"
)
"""Names that git takes (git-check-ref-format), without its rarer signs."""
_COMMON_BRANCHES = frozenset({"main", "master", "head"})
"""Where people work; any other default branch is found out when something is published."""


@dataclass(frozen=True)
class GitHubSettings:
    """Which repository, and with which token; make it with `GitHubSettings.checked`. The token stays out of `repr`.

    `pages_branch`: where reports are published to, None: nowhere. `pages_url`: where that branch is to be read, None:
    GitHub's own address of it.
    """

    token: str = field(repr=False)
    repository: str
    base_url: str = API_URL
    pages_branch: str | None = None
    pages_url: str | None = None
    source: Source = field(default=CONNECTION, repr=False)

    @classmethod
    def checked(
        cls,
        token: str | None,
        repository: str | None,
        base_url: str | None = None,
        pages_branch: str | None = None,
        pages_url: str | None = None,
        *,
        source: Source = CONNECTION,
    ) -> Self:
        """Settings that can be used; `source`: where they stand.

        Raises ConfigError, which names that place and never the token.
        """
        if not token:
            raise ConfigError(f"no token in {source.token}; docs/github.md says what it has to be allowed to do")
        if not repository:
            raise ConfigError(f"no repository in {source.repository}; write it as owner/name")
        if not re.fullmatch(r"[!-~]+", token):
            raise ConfigError(f"{source.token}: a token has no spaces; copy it again")
        if not re.fullmatch(f"{_OWNER}/{_NAME}", repository):
            raise ConfigError(f"{source.repository}: write it as owner/name")
        if pages_branch is not None:
            _check_branch(pages_branch, source.pages_branch)
        for url, place in ((base_url, source.base_url), (pages_url, source.pages_url)):
            if url is not None:
                _check_url(url, place)
        return cls(token, repository, (base_url or API_URL).rstrip("/"), pages_branch, pages_url, source)


def settings_from(password: str | None, host: str | None, extra: Mapping[str, Any]) -> GitHubSettings:
    """Settings of the fields of the connection `loadtest_github`. Raises ConfigError.

    password: the token; host: empty, or the URL of an API other than github.com's; extra: `repository`, and
    `pages_branch` and `pages_url`, both optional.
    """
    for key, value in extra.items():
        if key not in _EXTRA_KEYS:
            hint = nearest(key, _EXTRA_KEYS)
            raise ConfigError(f"connection {GITHUB_CONNECTION}: extra: unknown key {key!r}; {hint}")
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"connection {GITHUB_CONNECTION}: extra: {key}: expected a text in quotes")
    given = {key: (extra.get(key) or "").strip() or None for key in _EXTRA_KEYS}
    base_url = (host or "").strip() or None
    return GitHubSettings.checked((password or "").strip(), base_url=base_url, source=CONNECTION, **given)


def _check_branch(name: str, place: str) -> None:
    if not _BRANCH.fullmatch(name):
        raise ConfigError(f"{place}: no name of a branch")
    if name.lower() in _COMMON_BRANCHES:
        raise ConfigError(f"{place}: people work on {name}; write a branch of its own, such as gh-pages")


def _check_url(url: str, place: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not re.fullmatch(r"[!-~]+", url) or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"{place} is no URL; write https://…, without credentials in it")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigError(f"{place} must begin with https:// (http:// only on this machine)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def repository(settings: GitHubSettings, budget: Budget) -> "Repository":
    """The settings' repository; asks GitHub nothing yet.

    Every call of it, and of all that is reached from it, takes at most the time that the budget gives, and raises
    OutOfTime where it gives none. What no caller can act on is a DeliveryError at once; a refusal of the single
    request stays PyGithub's exception, for `github_errors` around the whole.
    """
    from github.Repository import Repository

    url = f"{settings.base_url}/repos/{settings.repository}"
    known = {"full_name": settings.repository, "name": settings.repository.split("/")[1]}
    asking = requester(settings.token, settings.base_url, settings.source, budget)
    return Repository(asking, None, known, completed=False, url=url)


@contextmanager
def github_errors() -> Iterator[None]:
    """Around calls of a repository: every refusal that is not handled within is a DeliveryError in words."""
    from github import BadAttributeException, GithubException, IncompletableObject

    try:
        yield
    except (BadAttributeException, IncompletableObject):  # no refusals, though PyGithub gives them a status
        raise unreadable() from None
    except GithubException as refused:
        raise of_request(refused) from None
