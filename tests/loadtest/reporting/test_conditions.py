"""Gaps, restarts and growth are named with their times and figures."""

import pytest

from include.loadtest.reporting.conditions import changes_section, environment_section, gaps_section, sizes_section
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit
GAP = {
    "source": "postgres",
    "start": "2026-11-24T20:15:01Z",
    "end": "2026-11-24T20:15:31Z",
    "reason": HOSTILE,
    "missed": 6,
}


def report_of(**manifest) -> dict:
    return {"manifest": manifest, "not_measured": [], "not_configured": []}


def test_a_monitors_gap_is_named_with_its_times_and_cause() -> None:
    """Source, from, to, missed readings; the cause is harmless text."""
    text = gaps_section(report_of(gaps=[GAP, GAP | {"end": None}]))
    assert "no readings of postgres from 2026-11-24 20:15:01 UTC to 2026-11-24 20:15:31 UTC (6 missed): " in text
    assert "to the end of the run" in text
    assert "<script" not in text


def test_a_gap_of_unknown_time_is_named_too() -> None:
    """A gaps file that cannot be read is a gap of its own."""
    gap = {"source": "collectors", "start": None, "end": None, "reason": "gaps-1.json cannot be read", "missed": None}
    assert "- readings of collectors: gaps-1.json cannot be read" in gaps_section(report_of(gaps=[gap]))


def test_many_gaps_are_bounded_and_counted() -> None:
    """The manifest has the others."""
    assert "and 10 more gaps" in gaps_section(report_of(gaps=[GAP] * 60))


def test_sizes_stand_beside_each_other_with_their_growth() -> None:
    """Database, Redis and the tables that changed; what nobody measured yet is said."""
    before = {"database_bytes": 10 * 2**20, "redis_used_memory_bytes": None, "row_counts": {"user": 5, "tax": 7}}
    after = {"database_bytes": 12 * 2**20, "redis_used_memory_bytes": 2**20, "row_counts": {"user": 55, "tax": 7}}
    before["notes"] = ["Redis: no answer"]
    text = sizes_section({"sizes": {"before": before, "after_load": after}})
    assert "| database | 10.0 MiB | 12.0 MiB | +2.0 MiB |" in text
    assert "| Redis memory | not measured | 1.0 MiB | – |" in text
    assert "| rows of user | 5 | 55 | +50 |" in text
    assert "rows of tax" not in text
    assert "- Redis: no answer" in text
    assert sizes_section({}) == ""


def test_what_was_expected_before_the_run_is_shown() -> None:
    """Each disk with its need and its room, and what could not be estimated."""
    disk = {"path": "/var", "purpose": "the bundle", "needed_bytes": 12_000_000, "free_bytes": 9_000_000_000}
    text = sizes_section({"growth": {"disks": [disk], "notes": ["disk: not checked"]}})
    assert "about 12 MB for the bundle, 9,000 MB were free" in text
    assert "disk: not checked" in text


def test_a_restart_is_shown() -> None:
    """And no section where there was none."""
    assert "- the target restarted at 20:15:01" in changes_section(
        {"restart": {"kind": "restarted", "text": "the target restarted at 20:15:01"}}
    )
    assert changes_section({"restart": {"kind": "same", "text": ""}}) == ""


def test_what_the_targets_log_says_of_its_end_is_shown() -> None:
    """Each line's time and words, harmless in Markdown."""
    lines = [
        {"ts": "2026-03-01T20:15:01.000000Z", "words": "out of memory, killed", "process": "a|b"},
        {"ts": "2026-03-01T20:15:04.000000Z", "words": "restart", "process": None},
    ]
    text = changes_section({"target_log": lines})
    assert "- the target's log at 2026-03-01 20:15:01 UTC: out of memory, killed (killed: a\\|b)" in text
    assert "- the target's log at 2026-03-01 20:15:04 UTC: restart" in text.splitlines()


def test_the_generators_that_shared_a_load_stand_with_the_environment() -> None:
    """Each with its machine and how far its clock was off; what it said is harmless text."""
    accounts = [{"worker": "w1", "host": HOSTILE, "clock_offset_ms": -7.5}, {"worker": "w2", "requests": 4}]
    text = environment_section({"environment": {"git_sha": "abc"}, "generators": accounts})
    assert "generator w1" in text
    assert "-7.5" in text
    assert "'requests': 4" in text
    assert "<script" not in text
