"""PyGithub's way to the network, fit for deliveries: bounded in time, one server only, no redirection followed."""

import math
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from include.loadtest.publishing.delivery import LEAST_CALL_S, Budget, DeliveryError, OutOfTime
from include.loadtest.publishing.github_refusals import MOVED, Source, of_network, of_service

if TYPE_CHECKING:
    from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, RequestsResponse

_VERSION = "2022-11-28"
"""Of the REST API; a later one may answer otherwise."""
_PER_PAGE = 100
"""The most that GitHub gives at once."""
FAIR_CALL_S = 1.0
"""A call that ends with the budget after less time says nothing about GitHub."""


def requester(token: str, base_url: str, source: Source, budget: Budget) -> Any:
    """PyGithub's Requester; `source`: where token and address are set.

    A request raises DeliveryError for what no caller can act on, OutOfTime, and PyGithub's exceptions.
    """
    from github import Auth, GithubException
    from github.Requester import Requester

    class Bounded(Requester):
        # PyGithub's own injectConnectionClasses would open a connection for each request.
        _Requester__httpConnectionClass, _Requester__httpsConnectionClass = _connections()

        def requestJsonAndCheck(self, verb: str, url: str, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - PyGithub's name
            _check_place(url, base_url)
            ask = super().requestJsonAndCheck
            try:
                return _within(budget, verb, source, lambda: _document(ask(verb, url, *args, **kwargs)))
            except GithubException as refused:
                if _is_transferred(refused, verb, url):
                    raise GithubException(410, {"message": "the issue was transferred"}) from None
                if error := of_service(refused, verb, source):
                    raise error from None
                raise

    return Bounded(
        auth=Auth.Token(token),
        base_url=base_url,
        timeout=max(1, math.ceil(budget.left_s)),  # `_within` bounds each call
        user_agent="pratikoai-load-test",
        per_page=_PER_PAGE,
        verify=True,
        retry=None,
        pool_size=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
        api_version=_VERSION,
    )


def _connections() -> tuple[type["HTTPRequestsConnectionClass"], type["HTTPSRequestsConnectionClass"]]:
    """PyGithub's connections, for http (on this machine) and https, which end at a redirection."""
    from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

    class Plain(HTTPRequestsConnectionClass):
        def getresponse(self) -> "RequestsResponse":
            return _unmoved(super().getresponse())

    class Tls(HTTPSRequestsConnectionClass):
        def getresponse(self) -> "RequestsResponse":
            return _unmoved(super().getresponse())

    return Plain, Tls


def _unmoved(response: "RequestsResponse") -> "RequestsResponse":
    """PyGithub follows a 301, a write too and without its query, and takes every other redirection for success."""
    from github import GithubException

    if response.status in MOVED:
        raise GithubException(response.status, {"message": "Moved"})
    return response


def _is_transferred(refused: Any, verb: str, url: str) -> bool:
    """Whether a single issue is in another repository now; a deleted one is 410."""
    return bool(refused.status == 301 and verb == "GET" and re.search(r"/issues/\d+$", url))


def _check_place(url: str, base_url: str) -> None:
    """The token goes nowhere else, whatever address an answer or its Link header names. Raises DeliveryError."""
    if url.startswith("/"):  # below the base
        return
    if _place(url) != _place(base_url):
        raise DeliveryError(
            "GitHub's answer names an address of another server: it is not asked", is_service_wide=False
        )


def _place(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None


def _document(answer: tuple[Any, Any]) -> tuple[Any, Any]:
    """The answer, if it is one: PyGithub takes any text (a proxy's page, say) for a document {"data": text}."""
    _, document = answer
    is_text = isinstance(document, dict) and "data" in document and document.keys() <= {"data", "url"}
    if is_text or not isinstance(document, dict | list):
        raise ValueError
    return answer


def _within(budget: Budget, verb: str, source: Source, ask: Callable[[], Any]) -> Any:
    """One request, abandoned after its time: a socket's timeout bounds neither DNS nor an answer in drops.

    Raises DeliveryError, OutOfTime, and what PyGithub says of a refusal.
    """
    from github import GithubException

    outcome: list[Any] = []

    def attempt() -> None:
        try:
            outcome.append((ask(), None))
        except Exception as error:  # noqa: BLE001 - carried over to the caller's thread
            outcome.append((None, error))

    timeout_s = budget.timeout_s()
    thread = threading.Thread(target=attempt, name="github", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        if timeout_s < FAIR_CALL_S and budget.left_s < LEAST_CALL_S:
            raise OutOfTime
        raise DeliveryError(f"GitHub has not answered within {timeout_s:.1f} s", may_have_arrived=verb != "GET")
    answer, error = outcome[0]
    if isinstance(error, GithubException):
        raise error
    if error is not None:
        raise of_network(error, verb, source) from None
    return answer
