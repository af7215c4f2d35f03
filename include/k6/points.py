"""From the points that k6 writes to samples: what was asked, when, and what came back.

The script says with three points a request what it asked, that the answer is there, and what the answer is; k6 stamps
each in nanoseconds of the wall clock. A request ends with its answer: what the script does with it, is no time of the
target's. A user wanted its request when its think time after the end of the last one was over.
"""

import errno
import json
import logging
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from time import strptime
from typing import Any

from include.loadtest.errors import printable
from include.loadtest.profile import Stage
from include.loadtest.recorder import Sample
from include.loadtest.scenarios.checks import MAX_ERROR_CHARS, fingerprint
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import NOT_JUDGED

LOG = logging.getLogger("loadtest.generator")
_OURS = b'"loadtest_'
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
    """A request that is under way; times in ns since the epoch. `answered_ns`: None until its answer is there."""

    at_ns: int
    intended_ns: int
    scenario: str
    endpoint: str
    iteration: int
    stage: Stage
    answered_ns: int | None = None


class Points:
    """Turns k6's lines into samples, which go to `record`. Memory holds one request a user, and no more.

    `noted`: points of the script's own. `unreadable`: lines of them that made no sense, so that a sample is missing.
    `failure`: the first scenario that raised an error, with the error's name and text.
    """

    def __init__(self, plan: GeneratorPlan, record: Callable[[Sample], None]) -> None:
        self._plan, self._record = plan, record
        self._asked: dict[int, _Asked] = {}
        self._ended_ns: dict[int, int] = {}
        self._present: set[int] = set()
        self._lag_ns: int | None = None
        self.load_started_ns: int | None = None
        self.noted = self.unreadable = 0
        self.failure: tuple[str, str, str] | None = None

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
        if _OURS not in line:
            return
        try:
            self._note(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            self.unreadable += 1
            LOG.warning("a line of k6 cannot be read (%s): %s", type(error).__name__, printable(repr(line), 300))

    def cut(self, at_ns: int) -> None:
        """What is still under way ends now: censored, for nobody knows how long it would have taken, or what it was."""
        for user, asked in self._asked.items():
            text = "still running when the load ended" if asked.answered_ns is None else NOT_JUDGED
            ended_ns = max(at_ns, asked.at_ns) if asked.answered_ns is None else asked.answered_ns
            self._record(self._sample(user, asked, ended_ns, {"outcome": "censored", "text": text}))
        self._asked.clear()

    def _note(self, document: Mapping[str, Any]) -> None:
        if document["type"] != "Point" or not document["metric"].startswith("loadtest_"):
            return
        at_ns = _ns(document["data"]["time"])
        facts: dict[str, Any] = json.loads(document["data"]["metadata"]["loadtest"])
        user = int(facts["user"])
        match document["metric"]:
            case "loadtest_started":
                self._start(user, at_ns, facts)
            case "loadtest_answered":
                self._ended_ns[user] = at_ns
                if user in self._asked:  # else its start could not be read, and its judgement is missed
                    self._asked[user] = replace(self._asked[user], answered_ns=at_ns)
            case "loadtest_judged":
                asked = self._asked.pop(user)
                self._record(self._sample(user, asked, _known(asked.answered_ns), facts))
            case "loadtest_failed":
                self.failure = self.failure or (str(facts["scenario"]), str(facts["name"]), str(facts["text"]))
            case "loadtest_users":
                (self._present.add if facts["change"] > 0 else self._present.discard)(user)
        self.noted += 1

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


def _known(at_ns: int | None) -> int:
    if at_ns is None:
        raise ValueError("judged before it was answered")
    return at_ns


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
