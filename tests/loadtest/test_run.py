"""Names of runs."""

import hashlib
from datetime import UTC, datetime

import pytest

from include.loadtest.run import RUN_ID_PATTERN, run_id_for, trace_id, utc_text

pytestmark = pytest.mark.unit


def test_a_run_id_starts_with_its_profile_and_is_the_same_in_every_task() -> None:
    """Equal inputs give equal ids; another owner gives another."""
    moment = datetime(2026, 11, 24, 20, 15, tzinfo=UTC)
    one = run_id_for("smoke", moment, "load_test_manual/manual__1")
    assert one.startswith("smoke-20261124-201500-")
    assert RUN_ID_PATTERN.match(one)
    assert one == run_id_for("smoke", moment, "load_test_manual/manual__1")
    assert one != run_id_for("smoke", moment, "load_test_manual/manual__2")


def test_times_are_utc_text() -> None:
    """ISO 8601 with a Z."""
    assert utc_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"


def test_a_trace_id_follows_from_the_sample() -> None:
    """32 hexadecimal digits of SHA-256 of run, user and iteration: others can compute it, so it must not change."""
    assert trace_id("smoke-1", 17, 0) == hashlib.sha256(b"smoke-1/17/0").hexdigest()[:32]
    assert trace_id("smoke-1", 17, 0) == "dc632be0512c703d717420726b0092ec"
    assert len({trace_id("smoke-1", 1, 11), trace_id("smoke-1", 11, 1), trace_id("smoke-11", 1, 1)}) == 3
