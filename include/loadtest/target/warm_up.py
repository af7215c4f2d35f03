"""Warming the target's cache: every question of the pool, round after round, until the hit rate has settled."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import httpx

from include.loadtest.profile import Profile
from include.loadtest.scenarios.checks import check_answer, fingerprint
from include.loadtest.scenarios.texts import question_pool
from include.loadtest.target.facts import redis_client
from include.loadtest.target.requests import http_client, request_headers
from include.loadtest.target.sessions import Session
from include.loadtest.target.settings import Target

PARALLEL = 8
REQUEST_TIMEOUT_S = 60.0
MAX_FAILURE_KINDS = 10


@dataclass(frozen=True)
class Round:
    """One pass over the pool; `hit_rate` 0..1 of the cache's lookups meanwhile, None where not measured."""

    asked: int
    failed: int
    hit_rate: float | None
    seconds: float


@dataclass(frozen=True)
class WarmUpResult:
    """How the warm-up went. `settled`: None where no hit rate could be measured; `failures`: number by cause."""

    rounds: tuple[Round, ...]
    settled: bool | None
    seconds: float
    failures: dict[str, int]
    note: str

    @property
    def hit_rates(self) -> list[float | None]:
        """The hit rate of each round."""
        return [entry.hit_rate for entry in self.rounds]

    def document(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "settled": self.settled,
            "hit_rates": self.hit_rates,
            "seconds": round(self.seconds, 3),
            "rounds": [vars(entry) for entry in self.rounds],
            "failures": self.failures,
            "note": self.note,
        }

    def lines(self) -> list[str]:
        """For the log."""
        return [self.note, *(f"warm-up: {count} failed: {cause}" for cause, count in self.failures.items())]


def warm_cache(
    target: Target,
    profile: Profile,
    sessions: Mapping[int, Session],
    run_id: str,
    stop_requested: Callable[[], bool] = lambda: False,
) -> WarmUpResult:
    """Ask all questions of the pool in rounds until two rounds' hit rates differ by less than the profile allows.

    Ends at the latest when `warm_up.max_s` and one request's timeout are over. Without Redis one round is asked. A
    failing target does not raise: failures are counted here, and the load will show them. Once `stop_requested` says
    so, no further question is asked.
    """
    asker = _Asker(target, profile, sessions, run_id, stop_requested)
    started = time.monotonic()
    deadline = started + profile.warm_up.max_s
    failures: Counter[str] = Counter()
    rounds: list[Round] = []
    while not rounds or _goes_on(rounds, profile, deadline):
        rounds.append(asker.round(deadline, failures))
    settled = _is_settled(rounds, profile.warm_up.settled_within) if target.redis_url else None
    common = dict(failures.most_common(MAX_FAILURE_KINDS))
    return WarmUpResult(tuple(rounds), settled, time.monotonic() - started, common, _note(rounds, settled, target))


def _goes_on(rounds: Sequence[Round], profile: Profile, deadline: float) -> bool:
    last = rounds[-1]
    if last.hit_rate is None or last.failed == last.asked or time.monotonic() >= deadline:
        return False
    return not _is_settled(rounds, profile.warm_up.settled_within)


def _is_settled(rounds: Sequence[Round], within: float) -> bool:
    rates = [entry.hit_rate for entry in rounds[-2:]]
    if len(rates) < 2 or rates[0] is None or rates[1] is None:
        return False
    return abs(rates[1] - rates[0]) < within and rounds[-1].failed < rounds[-1].asked


def _note(rounds: Sequence[Round], settled: bool | None, target: Target) -> str:
    asked, failed = sum(entry.asked for entry in rounds), sum(entry.failed for entry in rounds)
    if failed == asked:
        return f"warm-up: none of {asked} questions was answered"
    if settled is None:
        return f"warm-up: {asked} questions asked; hit rate not measured, no {target.file.where_to_set('redis')}"
    rates = ", ".join("not measured" if e.hit_rate is None else f"{100 * e.hit_rate:.0f} %" for e in rounds)
    return f"warm-up: hit rate by round {rates}; {'settled' if settled else 'NOT settled'}"


class _Asker:
    """Asks questions over the chat stream, a few at a time, with the users in turn."""

    def __init__(
        self,
        target: Target,
        profile: Profile,
        sessions: Mapping[int, Session],
        run_id: str,
        stop_requested: Callable[[], bool],
    ) -> None:
        self._target, self._run_id, self._stop_requested = target, run_id, stop_requested
        size = profile.questions.pool_size
        self._questions = [*question_pool("simple_query", size), *question_pool("complex_query", size)]
        self._users = cycle(sessions.items())

    def round(self, deadline: float, failures: Counter[str]) -> Round:
        """Ask every question once, up to the deadline; a round that it cut short has no hit rate."""
        started = time.monotonic()
        before = self._lookups()
        work = [(question, *next(self._users)) for question in self._questions]
        with (
            http_client(self._target, REQUEST_TIMEOUT_S) as client,
            ThreadPoolExecutor(PARALLEL, thread_name_prefix="warm-up") as pool,
        ):

            def ask(task: tuple[str, int, Session]) -> str | None:
                is_over = time.monotonic() >= deadline or self._stop_requested()
                return _NOT_ASKED if is_over else self._ask(client, *task)

            errors = [error for error in pool.map(ask, work) if error != _NOT_ASKED]
        failures.update(error for error in errors if error)
        complete = len(errors) == len(work)
        hit_rate = _hit_rate(before, self._lookups()) if complete else None
        return Round(len(errors), sum(1 for e in errors if e), hit_rate, round(time.monotonic() - started, 3))

    def _lookups(self) -> tuple[int, int] | None:
        """Hits and misses of the cache so far; None where Redis is not configured or gives no answer."""
        if self._target.redis_url is None:
            return None
        from redis import RedisError  # only where there is one

        try:
            with closing(redis_client(self._target.redis_url)) as client:
                stats: dict[str, Any] = client.info("stats")
        except RedisError:
            return None
        return int(stats["keyspace_hits"]), int(stats["keyspace_misses"])

    def _ask(self, client: httpx.Client, question: str, number: int, session: Session) -> str | None:
        """One question; None, or what was wrong with its answer."""
        headers = request_headers(self._target, self._run_id, "warm_up", number)
        headers["Authorization"] = f"Bearer {session.session_token}"
        body = {"messages": [{"role": "user", "content": question}], "skip_proactivity": True}
        try:
            with client.stream(
                "POST", self._target.url("/chatbot/chat/stream"), json=body, headers=headers
            ) as response:
                if response.status_code != 200:
                    return f"status {response.status_code}"
                return _read_answer(response, time.monotonic() + REQUEST_TIMEOUT_S)
        except httpx.HTTPError as error:
            return fingerprint(f"{type(error).__name__}: {error}")


_NOT_ASKED = "not asked"


def _read_answer(response: httpx.Response, deadline: float) -> str | None:
    """Read server-sent events up to the one that says done; None, or what was wrong."""
    parts: list[str] = []
    for line in response.iter_lines():
        if time.monotonic() > deadline:
            return f"answer: not complete after {REQUEST_TIMEOUT_S:g} s"
        if not line.startswith("data:"):
            continue
        try:
            event = json.loads(line.removeprefix("data:"))
        except ValueError:
            return "answer: an event is not JSON"
        parts.append(str(event.get("content") or ""))
        if event.get("done"):
            return check_answer("".join(parts), done=True)
    return check_answer("".join(parts), done=False)


def _hit_rate(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    if before is None or after is None:
        return None
    hits, misses = after[0] - before[0], after[1] - before[1]
    return hits / (hits + misses) if hits + misses > 0 and hits >= 0 else None
