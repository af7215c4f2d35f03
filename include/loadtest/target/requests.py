"""Requests to the target besides the load's: their headers, and answers that are read within a bound."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError, loads
from typing import Any

import httpx

from include.loadtest.pinned import PinnedTransport, Place
from include.loadtest.run import HEADER_PHASE, HEADER_RUN_ID, REQUEST_PHASES
from include.loadtest.target.settings import Target

BENCHMARK_NETWORK = "198.18"
"""First half of 198.18.0.0/15, reserved for benchmarks (RFC 2544): no real client has such an address."""
MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    text: str

    @property
    def short(self) -> str:
        """The beginning of the text on one line, for messages."""
        return " ".join(self.text.split())[:200]

    def json(self) -> dict[str, Any]:
        """The JSON object of the answer, {} where there is none."""
        try:
            content = loads(self.text)
        except JSONDecodeError:
            return {}
        return content if isinstance(content, dict) else {}


def forwarded_address(number: int) -> str:
    """The X-Forwarded-For address of a virtual user, 198.18.(n div 250).(n mod 250 + 1); 0 is preflight."""
    return f"{BENCHMARK_NETWORK}.{number // 250}.{number % 250 + 1}"


def request_headers(target: Target, run_id: str, phase: str, number: int) -> dict[str, str]:
    """Headers of one request of user `number`; raises ValueError for an unknown phase."""
    if phase not in REQUEST_PHASES:
        raise ValueError(f"unknown phase {phase!r}")
    headers = {
        HEADER_RUN_ID: run_id,
        HEADER_PHASE: phase,
        "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    }
    if target.file.forwarded_for:
        headers["X-Forwarded-For"] = forwarded_address(number)
    return headers


def http_client(target: Target, timeout_s: float) -> httpx.Client:
    """A client that goes to the target's checked addresses only: by no proxy of this machine, after no redirect."""
    pinned = PinnedTransport(Place.of(target.base_url, target.addresses))
    return httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False, transport=pinned)


def exchange(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """One request, read to its end within `timeout_s`. Raises httpx.HTTPError (no answer, or too late or too large).

    httpx bounds each read only, so an answer that drips would never end.
    """
    deadline = time.monotonic() + timeout_s
    parts: list[bytes] = []
    size = 0
    with client.stream(
        method, url, headers=dict(headers), data=dict(form) if form else None, content=content
    ) as response:
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"the answer did not end within {timeout_s:g} s")
            if size > MAX_BODY_BYTES:
                raise httpx.ReadError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
        return Answer(response.status_code, b"".join(parts).decode("utf-8", errors="replace"))
