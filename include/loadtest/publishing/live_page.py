"""What a running load shows, as families of Prometheus' text format. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from include.loadtest.live.readings import Latest
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile.vocabulary import OUTCOMES
from include.loadtest.publishing.exposition_page import Family, Line, bucket_lines

USERS, REQUESTS, DURATION = "loadtest_users", "loadtest_requests_total", "loadtest_request_duration_seconds"
READING = "loadtest_reading"
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]{0,40})="((?:[^"\\]|\\.){0,200})"')


@dataclass(frozen=True)
class RunningRun:
    """A run under way, with what its series are named after."""

    live: LiveRun
    profile: str
    target: str
    shares_host: bool

    @property
    def labels(self) -> dict[str, str]:
        """On every series of the run."""
        return {"run_id": self.live.bundle.run_id, "profile": self.profile, "target": self.target}


def live_families(runs: Sequence[RunningRun], now_s: float) -> list[Family]:
    """The load's own figures, and the readings of the collectors. `now_s`: seconds since the epoch."""
    return [
        Family(USERS, "gauge", "Users that the load generator runs now.", list(_users(runs, now_s))),
        Family(
            *(REQUESTS, "counter", "Requests of the load that have ended, by scenario and outcome."),
            list(_requests(runs)),
        ),
        Family(
            *(DURATION, "histogram", "Latency of the load's requests; of one that was given up the time waited."),
            list(_durations(runs)),
        ),
        Family(
            READING,
            "gauge",
            "The latest reading of a server, a machine or the generator; counters are the servers' own.",
            list(_readings(runs, now_s)),
        ),
    ]


def _users(runs: Iterable[RunningRun], now_s: float) -> Iterator[Line]:
    for run in runs:
        users = run.live.readings.users(now_s)
        if users is not None:
            yield Line(run.labels, users)


def _requests(runs: Iterable[RunningRun]) -> Iterator[Line]:
    """Every outcome of a scenario from its first request on: a counter that appears with its first error hides it."""
    for run in runs:
        totals = run.live.requests.totals
        for scenario in sorted({scenario for scenario, _ in totals}):
            for outcome in OUTCOMES:
                yield Line({**run.labels, "scenario": scenario, "outcome": outcome}, totals[scenario, outcome])


def _durations(runs: Iterable[RunningRun]) -> Iterator[Line]:
    for run in runs:
        requests = run.live.requests
        for scenario, own in sorted(requests.durations.items()):
            labels = {**run.labels, "scenario": scenario}
            yield from bucket_lines(labels, requests.bounds_s, own.counts, own.sum_s)


def _readings(runs: Iterable[RunningRun], now_s: float) -> Iterator[Line]:
    for run in runs:
        shared = {"shared_host": "yes" if run.shares_host else "no"}
        for reading in run.live.readings.latest(now_s):
            yield Line({**run.labels, **shared, **_reading_labels(reading)}, reading.value)


def _reading_labels(reading: Latest) -> dict[str, str]:
    """A reading's own labels (`name{key="value"}`) stand beside ours, under names that cannot be one of ours.

    `server` is its instance: Prometheus gives the name `instance` to the exporter that it scrapes.
    """
    name, _, own = reading.metric.partition("{")
    further = {f"of_{key}": re.sub(r"\\(.)", r"\1", value) for key, value in _LABEL.findall(own)}
    return {"source": reading.source, "server": reading.instance, "metric": name, "unit": reading.unit, **further}
