"""Spans from a manifest, and the stretches they make."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from include.loadtest.metrics.phases import PhaseSpan, epoch_us, minutes_of, phase_spans, stretches

pytestmark = pytest.mark.unit

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def span(name: str, start_s: float, end_s: float) -> PhaseSpan:
    return PhaseSpan(name, name, START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))


def test_spans_are_read_from_the_manifest_and_one_without_an_end_is_left_out() -> None:
    """A generator that died leaves a phase open: its length is unknown."""
    manifest = {
        "phases": [
            {
                "name": "ramp_up",
                "stage": "ramp_up",
                "start": "2026-03-01T09:00:00.000001Z",
                "end": "2026-03-01T09:00:05Z",
            },
            {"name": "hold", "stage": "hold", "start": "2026-03-01T09:00:05Z", "end": None},
        ]
    }
    start = START + timedelta(microseconds=1)
    assert phase_spans(manifest) == [PhaseSpan("ramp_up", "ramp_up", start, START + timedelta(seconds=5))]
    assert phase_spans({}) == []


def test_stages_that_follow_each_other_are_one_stretch() -> None:
    """Steps of one phase join; a phase that comes back later is a second stretch and adds to its minutes."""
    parts = stretches([span("hold", 90, 120), span("hold", 0, 60), span("spike", 60, 90), span("hold", 120, 180)])
    assert [part.phase for part in parts] == ["hold", "spike", "hold"]
    assert minutes_of(parts, "hold") == 2.5
    assert minutes_of(parts, "ramp_up") == 0
    assert parts[2].full_minutes == 1


def test_an_empty_span_has_no_minutes() -> None:
    """A cut-off at the very start gives no rate, not a division by zero."""
    assert stretches([span("hold", 5, 5)]) == []


def test_times_are_exact_in_any_zone() -> None:
    """Microseconds survive, and the zone does not move the moment."""
    moment = datetime(2026, 3, 1, 11, 0, 0, 123457, tzinfo=timezone(timedelta(hours=2)))
    assert epoch_us(moment) == epoch_us(START) + 123457
