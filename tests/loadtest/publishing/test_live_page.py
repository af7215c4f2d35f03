"""A running load on the page: every outcome from the start, readings with their own labels, nothing stale."""

from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.live.readings import Latest
from include.loadtest.live.requests import RequestGroup
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.profile.vocabulary import OUTCOMES
from include.loadtest.publishing.exposition_page import page
from include.loadtest.publishing.live_page import RunningRun, live_families

pytestmark = pytest.mark.unit
NOW = 1000.0
OWN = 'run_id="smoke-1",profile="smoke",target="demo"'


@pytest.fixture
def running(tmp_path: Path) -> RunningRun:
    live = LiveRun(Bundle(tmp_path / "smoke-1"), load_thresholds())
    return RunningRun(live, "smoke", "demo", shares_host=True)


def lines(*runs: RunningRun) -> list[str]:
    return [line for line in page(live_families(runs, NOW)).splitlines() if not line.startswith("#")]


def test_requests_are_told_with_every_outcome_from_the_first_on(running: RunningRun) -> None:
    """A counter that appears with its first error would hide that error from a rate."""
    running.live.requests.note([RequestGroup(999, "simple_query", "ok", 100, 7, 700_000)])
    told = [line for line in lines(running) if line.startswith("loadtest_requests_total")]
    assert len(told) == len(OUTCOMES)
    assert f'loadtest_requests_total{{{OWN},scenario="simple_query",outcome="ok"}} 7' in told
    assert f'loadtest_requests_total{{{OWN},scenario="simple_query",outcome="http_error"}} 0' in told


def test_durations_are_a_histogram_in_seconds(running: RunningRun) -> None:
    """The limit of the P95 is the end of a bucket."""
    running.live.requests.note([RequestGroup(999, "simple_query", "ok", 100, 7, 700_000)])
    told = lines(running)
    name, own = "loadtest_request_duration_seconds", f'{OWN},scenario="simple_query"'
    assert f'{name}_bucket{{{own},le="0.1"}} 7' in told
    assert f'{name}_bucket{{{own},le="0.05"}} 0' in told
    assert f'{name}_bucket{{{own},le="5"}} 7' in told
    assert f"{name}_sum{{{own}}} 0.7" in told
    assert f"{name}_count{{{own}}} 7" in told


def test_readings_name_source_and_server_and_their_own_labels(running: RunningRun) -> None:
    """Labels of a reading cannot replace ours, and none has the name that Prometheus gives its target."""
    running.live.readings.note(
        [
            Latest(999, "generator", "here", "users", 12, "users"),
            Latest(999, "postgres", "db:5432", 'statement_calls{queryid="7",source="x\\"y"}', 3, "calls"),
            Latest(900, "redis", "gone", "used_memory_bytes", 5, "bytes"),
        ]
    )
    told = lines(running)
    shared = f'{OWN},shared_host="yes"'
    assert f"loadtest_users{{{OWN}}} 12" in told
    statement = 'source="postgres",server="db:5432",metric="statement_calls",unit="calls"'
    assert f'loadtest_reading{{{shared},{statement},of_queryid="7",of_source="x\\"y"}} 3' in told
    assert not any("used_memory_bytes" in line or "instance=" in line for line in told)


def test_without_a_run_nothing_is_told() -> None:
    """No zeros."""
    assert lines() == []
