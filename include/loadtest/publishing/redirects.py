"""Requests of urllib that end at a redirection: it would take a token, or a secret address, to another server."""

import ssl
from typing import Any
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener


class _Nowhere(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: the answer is an error of its own."""


def open_there(
    url: str | Request,
    data: bytes | None = None,
    timeout: float | None = None,
    *,
    context: ssl.SSLContext | None = None,
) -> Any:
    """As `urllib.request.urlopen`, but a redirection raises HTTPError. Raises OSError as that does."""
    handler = HTTPSHandler() if context is None else HTTPSHandler(context=context)
    return build_opener(_Nowhere(), handler).open(url, data, timeout)
