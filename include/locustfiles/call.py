"""One request of a scenario, and what came back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TokenKind = Literal["session", "user", "none"]


@dataclass(slots=True)
class Reply:
    """A response: `content` is the body, or the collected text of a streamed answer; times in µs."""

    status: int
    content: bytes
    size: int
    ttfb_us: int | None = None
    done: bool = True

    def json(self) -> Any:
        """The parsed body; None when it is no JSON, or so deep that nobody can parse it."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Call:
    """A request below the target's API prefix; `check` says what is wrong with a 2xx reply, or None.

    `endpoint` is its name in samples and metrics: one of a bounded set, never a URL.
    """

    endpoint: str
    method: str
    path: str
    check: Callable[[Reply], str | None]
    token: TokenKind = "session"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False


_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode
JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}


def json_call(
    endpoint: str, path: str, content: Mapping[str, Any], check: Callable[[Reply], str | None], **options: Any
) -> Call:
    """A POST with a JSON body."""
    body = _AS_JSON(content).encode()
    return Call(endpoint, "POST", path, check, body=body, headers=JSON_HEADERS, **options)
