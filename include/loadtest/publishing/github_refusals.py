"""What a refusal or a missing answer of GitHub means: who has to do what, in words, and when to try again."""

import email.utils
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.loadtest.errors import printable
from include.loadtest.publishing import GITHUB_CONNECTION
from include.loadtest.publishing.delivery import DeliveryError

if TYPE_CHECKING:
    from github import GithubException

_UNNAMED_WAIT_S = 60.0
"""GitHub's advice for a secondary rate limit that names no time ("wait for at least one minute")."""
_EXTRA = f"the extra of connection {GITHUB_CONNECTION}"


@dataclass(frozen=True)
class Source:
    """Where the settings of GitHub stand, as a person who has to change one is told."""

    token: str = f"the password of connection {GITHUB_CONNECTION}"
    repository: str = f"{_EXTRA} (repository)"
    base_url: str = f"the host of connection {GITHUB_CONNECTION}"
    pages_branch: str = f"{_EXTRA} (pages_branch)"
    pages_url: str = f"{_EXTRA} (pages_url)"


CONNECTION = Source()
MOVED = range(300, 400)
_PERMANENT = (400, 413, 415, 422)
_ACTIONS = (
    (403, "locked", "unlock the conversation if it is to be told there"),
    (403, "archived", "unarchive the repository, or name another one"),
    (403, "", "check that the token has the permission (docs/github.md, Token and scopes)"),
    (404, "", "check the repository's name, and that the token reaches it (docs/github.md, Token and scopes)"),
    (409, "empty", "make the first commit of the repository"),
    (410, "disabled", "switch the feature on in the repository's settings"),
    (422, "no commit found", "push the commit to this repository"),
    (422, "", "the request breaks GitHub's rules: that is a fault of this program, please report it"),
)
"""Status, a part of GitHub's own words in lower case, and what to do; the first that fits."""
_NO_ACTION = "docs.github.com/rest says what that means"


def of_service(refused: "GithubException", verb: str, source: Source) -> DeliveryError | None:
    """What concerns every request alike; None where the single one is refused."""
    if refused.status in MOVED:
        return DeliveryError(f"the repository has moved: put its present name into {source.repository}")
    if refused.status == 401:
        return DeliveryError(f"GitHub refuses the token; put a valid token into {source.token}")
    if refused.status >= 500:
        return DeliveryError(f"GitHub has failed: HTTP {refused.status}", _wait_s(refused), verb != "GET")
    if refused.status == 429 or (refused.status == 403 and _is_rate_limit(refused)):
        wait_s = _wait_s(refused) or _UNNAMED_WAIT_S
        return DeliveryError(f"GitHub takes no more requests for {wait_s:.0f} s (rate limit)", wait_s)
    return None


def of_request(refused: "GithubException") -> DeliveryError:
    """What concerns the single request: GitHub's own words, and what to do about them."""
    words = _message(refused).lower()
    fitting = (action for status, part, action in _ACTIONS if status == refused.status and part in words)
    is_permanent = refused.status in _PERMANENT
    return DeliveryError(
        f"{refusal(refused)}; {next(fitting, _NO_ACTION)}", is_permanent=is_permanent, is_service_wide=False
    )


def refusal(refused: "GithubException") -> str:
    """What GitHub says to a single request."""
    return f"GitHub refuses: {_message(refused)} (HTTP {refused.status})"


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
    listed = data.get("errors")
    errors = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    fields = [f"{one.get('field', '')} {one.get('message') or one.get('code', '')}".strip() for one in errors]
    text = str(data.get("message") or "no reason given").rstrip(".")
    return printable(f"{text} ({', '.join(fields)})" if fields else text, 200)


def of_network(error: Exception, verb: str, source: Source) -> DeliveryError:
    """No answer, or none that can be read. No exception's own text goes on: some quote headers or addresses."""
    import requests

    if not isinstance(error, requests.RequestException):
        return unreadable(f"; check {source.base_url}", may_have_arrived=verb != "GET")
    cause = _cause(error)
    reason = (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
    text = f"GitHub cannot be reached: {reason}; look at its status page and at this machine's way to the internet"
    return DeliveryError(text, may_have_arrived=verb != "GET" and not _is_unsent(error))


def unreadable(advice: str = "", *, may_have_arrived: bool = True) -> DeliveryError:
    """An answer that is no document, or not the one that GitHub describes."""
    return DeliveryError(f"GitHub's answer is unreadable{advice}", may_have_arrived=may_have_arrived)


def part(document: Any, *names: str) -> Any:
    """A field of an answer, or a field of a field. Raises DeliveryError where the answer has no such one."""
    for name in names:
        if not isinstance(document, Mapping) or name not in document:
            raise unreadable(f": it has no {name}")
        document = document[name]
    return document


def listed(document: Any, name: str) -> list[Any]:
    """The same for a field that is a list."""
    found = part(document, name)
    if not isinstance(found, list):
        raise unreadable(f": {name} is no list")
    return found


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
