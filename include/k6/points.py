"""From the points that k6 writes to samples: what was asked, when, and what came back.

The script says with two points a request what it asked and what came back; k6 stamps each in nanoseconds of the wall
clock. A user wanted its request when its think time after the end of the last one was over.
"""

import errno
import json
import logging
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import strptime
from typing import Any

from include.loadtest.errors import printable
from include.loadtest.profile import Stage
from include.loadtest.recorder import Sample
from include.loadtest.scenarios.checks import MAX_ERROR_CHARS, fingerprint
from include.locustfiles.plan import GeneratorPlan

LOG = logging.getLogger("loadtest.generator")
_OURS = b'{"metric":"loadtest_'
_CAUSES: Mapping[int, str] = {
    1101: "gaierror errno -2",
    1211: f"TimeoutError errno {errno.ETIMEDOUT}",
    1212: f"ConnectionRefusedError errno {errno.ECONNREFUSED}",
    1220: "HTTPConnectionClosed",
}
"""k6's codes of failed connections, by the names that the other engine gives them."""
_CAUSES_BY_TEXT: tuple[tuple[str, str], ...] = (
    ("unexpected EOF", "HTTPParseError"),
    ("malformed HTTP", "HTTPParseError"),
    ("EOF", "HTTPConnectionClosed"),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is under way; `at_ns` and `intended_ns` in ns since the epoch."""

    at_ns: int
    intended_ns: int
    scenario: str
    endpoint: str
    iteration: int
    stage: Stage


class Points:
    """Turns k6's lines into samples, which go to `record`. Memory holds one request a user, and no more.

    `unreadable`: lines of the script's own that made no sense, so that a sample is missing.
    """

    def __init__(self, plan: GeneratorPlan, record: Callable[[Sample], None]) -> None:
        self._plan, self._record = plan, record
        self._asked: dict[int, _Asked] = {}
        self._ended_ns: dict[int, int] = {}
        self._present: set[int] = set()
        self._lag_ns: int | None = None
        self.load_started_ns: int | None = None
        self.unreadable = 0

    @property
    def users(self) -> int:
        """How many users are there now."""
        return len(self._present)

    def take_lag_ms(self) -> float | None:
        """The longest that a request started after it was wanted, since the last call; None without a request."""
        lag_ns, self._lag_ns = self._lag_ns, None
        return None if lag_ns is None else lag_ns / 1e6

    def feed(self, line: bytes) -> None:
        """One line of k6's JSON output."""
        if not line.startswith(_OURS):
            return
        try:
            self._note(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            self.unreadable += 1
            LOG.warning("a line of k6 cannot be read (%s): %s", type(error).__name__, printable(repr(line), 300))

    def cut(self, at_ns: int) -> None:
        """What is still under way ends now: censored, for nobody knows how long it would have taken."""
        for user, asked in self._asked.items():
            result = {"outcome": "censored", "text": "still running when the load ended"}
            self._record(self._sample(user, asked, max(at_ns, asked.at_ns), result))
        self._asked.clear()

    def _note(self, document: Mapping[str, Any]) -> None:
        if document["type"] != "Point":
            return
        at_ns = _ns(document["data"]["time"])
        facts: dict[str, Any] = json.loads(document["data"]["metadata"]["loadtest"])
        user = int(facts["user"])
        match document["metric"]:
            case "loadtest_started":
                self._start(user, at_ns, facts)
            case "loadtest_ended":
                self._ended_ns[user] = at_ns
                self._record(self._sample(user, self._asked.pop(user), at_ns, facts))
            case "loadtest_users":
                (self._present.add if facts["change"] > 0 else self._present.discard)(user)

    def _start(self, user: int, at_ns: int, facts: Mapping[str, Any]) -> None:
        if self.load_started_ns is None:
            self.load_started_ns = int(facts["began_ms"]) * 1_000_000
        intended_ns = at_ns
        if facts["think_s"] is not None:
            intended_ns = min(at_ns, self._ended_ns[user] + round(facts["think_s"] * 1e9))
            self._lag_ns = max(self._lag_ns or 0, at_ns - intended_ns)
        self._asked[user] = _Asked(
            at_ns,
            intended_ns,
            facts["scenario"],
            facts["endpoint"],
            int(facts["iteration"]),
            self._stage_at((intended_ns - self.load_started_ns) / 1e9),
        )

    def _stage_at(self, offset_s: float) -> Stage:
        """The script counts in whole milliseconds, so an offset may lie a hair outside the load."""
        stages = self._plan.stages
        return self._plan.stage_at(offset_s) or (stages[0] if offset_s < 0 else stages[-1])

    def _sample(self, user: int, asked: _Asked, ended_ns: int, facts: Mapping[str, Any]) -> Sample:
        return Sample(
            intended_start=asked.intended_ns,
            start=asked.at_ns,
            latency_us=max(0, ended_ns - asked.intended_ns) // 1000,
            ttfb_us=None,  # k6 gives no part of an answer before all of it is there
            scenario=asked.scenario,
            endpoint=asked.endpoint,
            iteration=asked.iteration,
            phase=asked.stage.phase,
            stage=asked.stage.name,
            outcome=facts["outcome"],
            error=_error(facts, self._plan.profile.request_timeout_s(asked.scenario)),
            status=facts.get("status"),
            bytes=facts.get("bytes"),
            cache_hit=None,  # the target says nothing of its cache in an answer
            worker=self._plan.worker,
            user=user,
        )


def _error(facts: Mapping[str, Any], timeout_s: float) -> str | None:
    """The fingerprint of what went wrong, as the other engine names it."""
    text = str(facts.get("text") or "")
    match facts["outcome"]:
        case "ok":
            return None
        case "timeout":
            return f"timeout after {timeout_s:g} s"
        case "connection_error":
            return f"connection: {facts.get('name') or _cause(facts.get('code'), text)}"
        case "rejected" | "http_error":
            return f"HTTP {facts['status']}: {fingerprint(text)}"
        case _:
            return printable(text, MAX_ERROR_CHARS)


def _cause(code: object, text: str) -> str:
    if isinstance(code, int) and code in _CAUSES:
        return _CAUSES[code]
    return next((name for part, name in _CAUSES_BY_TEXT if part in text), f"k6 error {code}")


def _ns(stamp: str) -> int:
    """Nanoseconds since the epoch of a time in UTC as RFC 3339 has it, with up to nine digits of a second."""
    if not stamp.endswith("Z"):
        raise ValueError(f"not in UTC: {stamp[:40]!r}")
    digits = stamp[20:-1]
    return _second(stamp[:19]) * 1_000_000_000 + (int(digits.ljust(9, "0")) if digits else 0)


@lru_cache(maxsize=16)
def _second(text: str) -> int:
    return timegm(strptime(text, "%Y-%m-%dT%H:%M:%S"))
