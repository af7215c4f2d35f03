"""A repository on GitHub, by PyGithub: bounded in time, without retries of its own, its errors in words for people."""

import email.utils
import ipaddress
import math
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from include.loadtest.errors import ConfigError, nearest, printable
from include.loadtest.publishing import GITHUB_CONNECTION
from include.loadtest.publishing.delivery import Budget, DeliveryError

if TYPE_CHECKING:
    from github import GithubException
    from github.Repository import Repository

API_URL = "https://api.github.com"
_VERSION = "2022-11-28"
"""Of the REST API; a later one may answer otherwise."""
_PER_PAGE = 100
"""The most that GitHub gives at once."""
_EXTRA_KEYS = ("repository", "pages_branch", "pages_url")
_HOW_TO_SET = 'put a token in its password and {"repository": "owner/name"} in its extra'
_UNNAMED_WAIT_S = 60.0
"""GitHub's advice for a secondary rate limit that names no time ("wait for at least one minute")."""


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

    @classmethod
    def checked(
        cls,
        token: str | None,
        repository: str | None,
        base_url: str | None = None,
        pages_branch: str | None = None,
        pages_url: str | None = None,
    ) -> Self:
        """Settings that can be used. Raises ConfigError, which names the connection's field and never its content."""
        if not token or not repository:
            raise ConfigError(f"connection {GITHUB_CONNECTION}: no {_missing(token)}; {_HOW_TO_SET}")
        if not re.fullmatch(r"[!-~]+", token):
            raise ConfigError(f"connection {GITHUB_CONNECTION}: password: a token has no spaces; copy it again")
        if not re.fullmatch(r"[A-Za-z0-9-]{1,39}/[\w.-]{1,100}", repository, re.ASCII):
            raise ConfigError(f"connection {GITHUB_CONNECTION}: extra: repository: write it as owner/name")
        if pages_branch is not None and not re.fullmatch(r"(?!.*(?:\.\.|//|/$|\.$))[\w][\w./-]{0,99}", pages_branch):
            raise ConfigError(f"connection {GITHUB_CONNECTION}: extra: pages_branch: no name of a branch")
        for url, name in ((base_url, "host"), (pages_url, "extra: pages_url")):
            if url is not None:
                _check_url(url, name)
        return cls(token, repository, (base_url or API_URL).rstrip("/"), pages_branch, pages_url)


def _missing(token: str | None) -> str:
    return "repository" if token else "token"


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
    return GitHubSettings.checked((password or "").strip(), base_url=(host or "").strip() or None, **given)


def _check_url(url: str, name: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not re.fullmatch(r"[!-~]+", url) or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"connection {GITHUB_CONNECTION}: {name} is no URL; write https://…, without credentials in it"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigError(
            f"connection {GITHUB_CONNECTION}: {name} must begin with https:// (http:// only on this machine)"
        )


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
    return Repository(_requester(settings, budget), None, known, completed=False, url=url)


def _requester(settings: GitHubSettings, budget: Budget) -> Any:
    from github import Auth, GithubException
    from github.Requester import Requester

    class Bounded(Requester):
        """PyGithub's way to the network, each request within the budget's time."""

        def requestJsonAndCheck(self, verb: str, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - PyGithub's name
            ask = super().requestJsonAndCheck
            try:
                return _within(budget.timeout_s(), verb, lambda: _document(ask(verb, *args, **kwargs)))
            except GithubException as refused:
                if error := _of_service(refused, verb):
                    raise error from None
                raise

    return Bounded(
        auth=Auth.Token(settings.token),
        base_url=settings.base_url,
        timeout=max(1, math.ceil(budget.timeout_s())),
        user_agent="pratikoai-load-test",
        per_page=_PER_PAGE,
        verify=True,
        retry=None,
        pool_size=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
        api_version=_VERSION,
    )


def _document(answer: tuple[Any, Any]) -> tuple[Any, Any]:
    """The answer, if it is one: PyGithub takes any text (a proxy's page, say) for a document {"data": text}."""
    _, document = answer
    if isinstance(document, dict) and "data" in document and document.keys() <= {"data", "url"}:
        raise ValueError
    return answer


def _within(timeout_s: float, verb: str, ask: Any) -> Any:
    """One request, abandoned after `timeout_s`: a socket's timeout bounds neither DNS nor an answer in drops.

    Raises DeliveryError, and what PyGithub says of a refusal.
    """
    from github import GithubException

    outcome: list[Any] = []

    def attempt() -> None:
        try:
            outcome.append((ask(), None))
        except Exception as error:  # noqa: BLE001 - carried over to the caller's thread
            outcome.append((None, error))

    thread = threading.Thread(target=attempt, name="github", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        raise DeliveryError(f"GitHub has not answered within {timeout_s:.0f} s", may_have_arrived=verb != "GET")
    answer, error = outcome[0]
    if isinstance(error, GithubException):
        raise error
    if error is not None:
        raise _of_network(error, verb) from None
    return answer


def _of_network(error: Exception, verb: str) -> DeliveryError:
    """No exception's own text goes on: some quote headers or addresses."""
    import requests

    if not isinstance(error, requests.RequestException):
        text = f"GitHub's answer cannot be read ({type(error).__name__}); check the host of {_CONNECTION}"
        return DeliveryError(text, may_have_arrived=verb != "GET")
    cause = _cause(error)
    reason = (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
    text = f"GitHub cannot be reached: {reason}; look at its status page and at this machine's way to the internet"
    return DeliveryError(text, may_have_arrived=verb != "GET" and not _is_unsent(error))


def _cause(error: BaseException) -> BaseException:
    """The first of the nested errors, which names what happened."""
    seen = 0
    while (inner := error.__cause__ or error.__context__) is not None and seen < _MOST_NESTED:
        error, seen = inner, seen + 1
    return error


_MOST_NESTED = 10
_UNSENT = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError", "ProxyError")
"""What urllib3 raises before the first byte of a request goes out."""


def _is_unsent(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in _UNSENT


_CONNECTION = f"connection {GITHUB_CONNECTION}"
_NEW_TOKEN = f"put a valid token into the password of {_CONNECTION}"
_ACTIONS = {
    403: "give the token the permission (docs/github.md, Token and scopes)",
    404: f"check the repository in the extra of {_CONNECTION}, and that the token reaches it (docs/github.md)",
    410: "switch the feature on in the repository's settings",
    422: "the request breaks GitHub's rules: that is a fault of this program, please report it",
}
_PERMANENT = (400, 413, 415, 422)


def _of_service(refused: "GithubException", verb: str) -> DeliveryError | None:
    """What concerns every request alike; None where the single one is refused."""
    if refused.status == 401:
        return DeliveryError(f"GitHub refuses the token; {_NEW_TOKEN}")
    if refused.status >= 500:
        return DeliveryError(f"GitHub has failed: HTTP {refused.status}", _wait_s(refused), verb != "GET")
    if refused.status == 429 or (refused.status == 403 and _is_rate_limit(refused)):
        wait_s = _wait_s(refused) or _UNNAMED_WAIT_S
        return DeliveryError(f"GitHub takes no more requests for {wait_s:.0f} s (rate limit)", wait_s)
    return None


def _is_rate_limit(refused: "GithubException") -> bool:
    headers = refused.headers or {}
    limited = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return limited or "rate limit" in _message(refused).lower()


def _wait_s(refused: "GithubException") -> float | None:
    """From `Retry-After`, else from when the limit is reset, by the clock of the answer itself."""
    headers = {name: str(value) for name, value in (refused.headers or {}).items()}
    if re.fullmatch(r"\d{1,6}", headers.get("retry-after", "")):
        return float(headers["retry-after"])
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not re.fullmatch(r"\d{1,12}", reset):
        return None
    now = time.time()
    with suppress(TypeError, ValueError):
        now = email.utils.parsedate_to_datetime(headers.get("date", "")).timestamp()
    return max(1.0, float(reset) - now)


def _message(refused: "GithubException") -> str:
    """What GitHub says, and which fields it names; its first characters."""
    data = refused.data if isinstance(refused.data, dict) else {}
    errors = [one for one in data.get("errors") or () if isinstance(one, dict)]
    fields = [f"{one.get('field', '')} {one.get('message') or one.get('code', '')}".strip() for one in errors]
    text = str(data.get("message") or "no reason given")
    return printable(f"{text} ({', '.join(fields)})" if fields else text, 200)


@contextmanager
def github_errors() -> Iterator[None]:
    """Around calls of a repository: every refusal that is not handled within is a DeliveryError in words."""
    from github import GithubException

    try:
        yield
    except GithubException as refused:
        action = _ACTIONS.get(refused.status, "look at GitHub's status page")
        text = f"GitHub refuses: HTTP {refused.status} {_message(refused)}; {action}"
        raise DeliveryError(text, is_permanent=refused.status in _PERMANENT, is_service_wide=False) from None
