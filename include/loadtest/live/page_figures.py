"""The figures of the live page: what each is now, in words, which limits stand beside it, why it is not known. Pure."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.loadtest.live.readings import FRESH_S
from include.loadtest.live.requests import MIN_REQUESTS, P95, RATE_WINDOW_S, READ_AFTER_S
from include.loadtest.live.watch import HOST_PREFIX
from include.loadtest.profile import Profile
from include.loadtest.profile.thresholds import LIVE_METRICS, Thresholds
from include.loadtest.profile.vocabulary import METRICS, SCOPE_ALL, Comparator
from include.loadtest.verdict import figure

if TYPE_CHECKING:
    from include.loadtest.live.tail import LiveRun  # pyarrow

LEAST_RATE_S = 2
"""Of fewer seconds since the load began no rate is told."""
USERS, PLANNED, OK, FAILED, ERRORS = "users", "planned_users", "throughput_rpm", "failed_rpm", "error_rate"
TITLES = {
    USERS: "Users",
    OK: "Good answers",
    FAILED: "Failed requests",
    P95: "P95 latency",
    ERRORS: "Error rate",
    "host_cpu_pct": "CPU of the target's host",
    "host_memory_pct": "Memory of the target's host",
    "postgres_connections": "Database connections",
    "redis_memory_bytes": "Redis memory",
    "cache_hit_rate": "Cache hit rate",
    "slow_queries_per_min": "Slow queries",
}
"""Of each figure, by its key."""
MAIN = (USERS, OK, FAILED, P95, ERRORS)
RESOURCES = tuple(metric for metric in LIVE_METRICS if metric not in MAIN)
ENDED = "the load has ended"
SHARED_HOST = "for information: the load generator runs on this machine too"
_UNITS = {USERS: "users", FAILED: "req/min"}
_HOLDS: dict[Comparator, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """A look at a load: what is known of it at `now_s` (seconds since the epoch), in which phase (None: in none)."""

    live: "LiveRun"
    now_s: float
    phase: str | None
    known: Mapping[str, float]


def known_figures(live: "LiveRun", now_s: float) -> dict[str, float]:
    """What is known now, by key."""
    known = {key: value for key, value in live.figures(now_s).items() if key in TITLES}
    users = live.readings.users(now_s)
    return known | _rates(live, now_s) | ({} if users is None else {USERS: users})


def _rates(live: "LiveRun", now_s: float) -> dict[str, float]:
    """Requests a minute by how they ended; a request that was cut at the load's end is neither."""
    if live.began_s is None:
        return {}
    until_s = int(now_s) - READ_AFTER_S
    since_s = max(until_s - RATE_WINDOW_S, int(live.began_s))
    if until_s - since_s < LEAST_RATE_S:
        return {}
    outcomes = live.requests.ended(since_s, until_s)
    good = outcomes["ok"]
    failed = sum(outcomes.values()) - good - outcomes["censored"]
    per_min = 60 / (until_s - since_s)
    return {OK: good * per_min, FAILED: failed * per_min}


class Figures:
    """Makes the figures of a load of `profile`, with the limits of the profile and of the alerts.

    `shares_host`: the generator runs on the target's machine, so no limit on that machine judges the target.
    """

    def __init__(self, profile: Profile, thresholds: Thresholds, *, shares_host: bool) -> None:
        self._profile, self._thresholds, self._shares_host = profile, thresholds, shares_host

    def row(self, key: str, moment: Moment) -> Row:
        """One figure: `text` is its value in words, `why` says why there is none. `limits` are shown, not judged."""
        value, unit = moment.known.get(key), METRICS[key].unit if key in METRICS else _UNITS[key]
        return {
            "key": key,
            "title": TITLES[key],
            "value": value,
            "unit": unit,
            "text": None if value is None else figure(value, unit),
            "why": self._why(key, moment) if value is None else None,
            "note": SHARED_HOST if self._is_shared(key) else None,
            "planned": self.planned_users(moment) if key == USERS else None,
            "limits": [*self._profiles(key, moment), *self._alerts(key, moment)],
        }

    def _profiles(self, key: str, moment: Moment) -> Iterator[Row]:
        """Those on all requests, and on servers; one is `beyond` only in the phase that it judges."""
        for slo in self._profile.slos:
            if slo.metric == key and slo.scope == SCOPE_ALL:
                value = moment.known.get(key)
                is_judged = moment.phase == slo.phase and value is not None and not self._is_shared(key)
                yield {
                    "of": f"{slo.level} limit in {slo.phase.replace('_', ' ')}",
                    "text": f"{slo.comparator} {figure(slo.limit, METRICS[key].unit)}",
                    "value": slo.limit,
                    "beyond": is_judged and not _HOLDS[slo.comparator](value or 0.0, slo.limit),
                }

    def _alerts(self, key: str, moment: Moment) -> Iterator[Row]:
        for threshold in self._thresholds.live:
            if threshold.metric == key:
                value = moment.known.get(key)
                yield {
                    "of": f"alert after {threshold.for_s} s",
                    "text": f"{threshold.comparator} {figure(threshold.limit, threshold.unit)}",
                    "value": threshold.limit,
                    "beyond": value is not None and threshold.is_crossed(value) and not self._is_shared(key),
                }

    def _is_shared(self, key: str) -> bool:
        return self._shares_host and key.startswith(HOST_PREFIX)

    def planned_users(self, moment: Moment) -> int | None:
        """Users that the shape wants; None outside of the load, and where arrivals come on a schedule."""
        began_s = moment.live.began_s
        if began_s is None or moment.phase is None or self._profile.load_model == "open":
            return None
        return self._profile.users_at(max(moment.now_s - began_s, 0.0))

    def _why(self, key: str, moment: Moment) -> str:
        if key == USERS:
            return f"no generator has told it in the last {FRESH_S:.0f} s"
        if key in (OK, FAILED):
            return "no request has ended so far" if moment.live.began_s is None else "the load has just begun"
        window_s = self._thresholds.window_s
        if key == P95:
            return self._why_no_p95(moment)
        if key == ERRORS:
            return _too_few(moment.live.requests.in_window(moment.now_s), window_s)
        return f"no reading in the last {window_s} s"

    def _why_no_p95(self, moment: Moment) -> str:
        """In an outage there are requests enough, and none with a latency."""
        requests, window_s = moment.live.requests, self._thresholds.window_s
        latencies, failed = requests.latencies(moment.now_s), requests.without_latency(moment.now_s)
        if not failed:
            return _too_few(latencies, window_s)
        return (
            f"{failed} of {failed + latencies} requests in the last {window_s} s failed and have no latency; "
            f"{MIN_REQUESTS} with one are needed"
        )


def _too_few(count: int, window_s: int) -> str:
    return f"{count} requests in the last {window_s} s, {MIN_REQUESTS} are needed"
