"""Facts are the growth, means and highest values of the hold."""

from datetime import UTC, datetime

import pytest

from include.loadtest.analysis.recommendations.facts import facts_of
from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA, Reading, ns, write_part
from include.loadtest.run import utc_text

pytestmark = pytest.mark.unit
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PROFILE = load_profile(find_profile("peak_hours"))


def bundle_of(folder, *readings: tuple[float, str, str, float]) -> Bundle:
    """A hold of a minute from START; readings by their seconds from it."""
    bundle = Bundle(folder / "run-1")
    moments = [utc_text(START), utc_text(START.replace(minute=1))]
    phase = {"name": "hold", "stage": "hold", "start": moments[0], "end": moments[1]}
    bundle.write("manifest.json", {"phases": [phase], "target": {"shares_host": True}})
    bundle.resources_dir.mkdir()
    rows = [
        Reading(ns(START) + round(at_s * 1e9), source, "one", metric, value, "")
        for at_s, source, metric, value in readings
    ]
    write_part(rows, RESOURCE_SCHEMA, bundle.resources_dir / "a-000000.parquet")
    return bundle


def test_only_the_hold_counts(tmp_path) -> None:
    """Hits before it are none of it; a restarted server's new count is added; of a limit the last counts."""
    hits = [(-5, 10.0), (0, 20.0), (5, 30.0), (10, 4.0), (70, 900.0)]
    rows = [(at_s, "redis", "keyspace_hits", value) for at_s, value in hits]
    rows += [(at_s, "postgres", "connections_total", value) for at_s, value in [(0, 7.0), (5, 9.0), (10, 8.0)]]
    rows += [(at_s, "process", "redis_cpu_cores", value) for at_s, value in [(0, 0.2), (5, 0.4)]]
    rows += [(at_s, "redis", "memory_limit_bytes", value) for at_s, value in [(0, 128.0), (5, 64.0)]]
    facts = facts_of(bundle_of(tmp_path, *rows), PROFILE)
    assert facts.shares_host
    assert facts.get("cache_limit_bytes") == 64
    assert facts.get("cache_hits") == 14
    assert facts.get("connections") == 9
    assert facts.get("redis_cpu_cores") == pytest.approx(0.3)


def test_what_was_not_read_is_absent(tmp_path) -> None:
    """One reading of a counter has no growth."""
    facts = facts_of(bundle_of(tmp_path, (0, "redis", "keyspace_hits", 5.0)), PROFILE)
    assert dict(facts.figures) == {}
    assert (facts.pool, facts.statements) == (None, ())


def test_a_run_without_a_hold_has_no_facts(tmp_path) -> None:
    """Nor does one raise that left no manifest."""
    assert dict(facts_of(Bundle(tmp_path / "none"), PROFILE).figures) == {}
