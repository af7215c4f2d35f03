"""Facts are the growth, means and highest values of the hold."""

from datetime import UTC, datetime

import pytest

from include.loadtest.analysis.recommendations.facts import WHOLE_HOLD, facts_of
from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA, Reading, ns, write_part
from include.loadtest.run import utc_text

pytestmark = pytest.mark.unit
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOTHING: dict = {"causes": []}
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
    """With the time between two readings that leads into it. The time in which a server began anew is left out, as in
    the diagnosis; of a limit the last counts.
    """
    hits = [(-5, 10.0), (1, 20.0), (5, 30.0), (10, 4.0), (15, 6.0), (70, 900.0)]
    rows = [(at_s, "redis", "keyspace_hits", value) for at_s, value in hits]
    rows += [(at_s, "postgres", "connections_total", value) for at_s, value in [(0, 7.0), (5, 9.0), (10, 8.0)]]
    rows += [(at_s, "process", "redis_cpu_cores", value) for at_s, value in [(0, 0.2), (5, 0.4)]]
    rows += [(at_s, "redis", "memory_limit_bytes", value) for at_s, value in [(0, 128.0), (5, 64.0)]]
    facts = facts_of(bundle_of(tmp_path, *rows), PROFILE, NOTHING)[WHOLE_HOLD]
    assert facts.shares_host
    assert facts.seconds == 60
    assert facts.get("cache_limit_bytes") == 64
    assert facts.get("cache_hits") == 22
    assert facts.get("connections") == 9
    assert facts.get("redis_cpu_cores") == pytest.approx(0.3)


def test_what_was_not_read_is_absent(tmp_path) -> None:
    """One reading of a counter has no growth."""
    facts = facts_of(bundle_of(tmp_path, (0, "redis", "keyspace_hits", 5.0)), PROFILE, NOTHING)[WHOLE_HOLD]
    assert dict(facts.figures) == {}
    assert (facts.pool, facts.statements) == (None, ())


def test_a_run_without_a_hold_has_no_facts(tmp_path) -> None:
    """Nor does one raise that left no manifest."""
    assert facts_of(Bundle(tmp_path / "none"), PROFILE, NOTHING) == {}


def test_a_cause_has_the_facts_of_its_own_time(tmp_path) -> None:
    """Of 9 keys that were evicted in the hold 6 while the cause was seen; without such a time there are none."""
    rows = [(at_s, "redis", "evicted_keys", value) for at_s, value in [(1, 0.0), (11, 3.0), (21, 5.0), (31, 9.0)]]
    times = {"from": utc_text(START.replace(second=15)), "to": utc_text(START.replace(second=40))}
    causes = [{"cause": "cache_evictions", "evidence": [times]}, {"cause": "rate_limiter", "evidence": []}]
    found = facts_of(bundle_of(tmp_path, *rows), PROFILE, {"causes": causes})
    assert set(found) == {WHOLE_HOLD, "cache_evictions"}
    assert found[WHOLE_HOLD].get("keys_evicted") == 9
    assert (found["cache_evictions"].get("keys_evicted"), found["cache_evictions"].seconds) == (6, 25)


def test_a_phase_whose_time_is_none_is_no_hold(tmp_path) -> None:
    """The rest of the diagnosis stands."""
    bundle = bundle_of(tmp_path, (0, "redis", "keyspace_hits", 5.0))
    phase = {"name": "hold", "start": "yesterday", "end": utc_text(START)}
    bundle.write("manifest.json", {"phases": [phase]})
    assert facts_of(bundle, PROFILE, NOTHING) == {}
