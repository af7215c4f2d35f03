"""A few calls of GitHub's REST API with nothing but the standard library: these jobs install no packages."""

import json
import os
import time
import urllib.error
import urllib.request
from typing import Any

_ATTEMPTS = 5
_TRANSIENT = (429, 500, 502, 503, 504)


class GitHubError(Exception):
    """GitHub refused a call, or did not answer; `status` is its HTTP status, None without an answer."""

    def __init__(self, status: int | None, text: str) -> None:
        super().__init__(text)
        self.status = status


def call(method: str, path: str, body: Any = None, *, pause_s: float = 1.0) -> Any:
    """The answer's content. An answer that says "try again" is waited for, five attempts in all. Raises GitHubError."""
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}{path}"
    if not url.startswith(("https://", "http://")):
        raise GitHubError(None, "GITHUB_API_URL is no http address")
    error = GitHubError(None, "")
    for attempt in range(_ATTEMPTS):
        try:
            return _once(method, url, body)
        except GitHubError as problem:
            if problem.status is not None and problem.status not in _TRANSIENT:
                raise
            error = problem
        if attempt + 1 < _ATTEMPTS:
            time.sleep(pause_s * 2**attempt)
    raise error


def _once(method: str, url: str, body: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        text = error.read(300).decode(errors="replace")
        raise GitHubError(error.code, f"{method} {url}: HTTP {error.code} {text}") from error
    except (OSError, ValueError) as error:
        raise GitHubError(None, f"{method} {url}: {error}") from error
