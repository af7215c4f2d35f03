"""Spans from a manifest, and the stretches they make."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from include.loadtest.metrics.phases import PhaseSpan, epoch_us, minutes_of, phase_spans, pieces, stretches

pytestmark = pytest.mark.unit

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def span(name: str, start_s: float, end_s: float, stage: str | None = None) -> PhaseSpan:
    return PhaseSpan(name, stage or name, START + timedelta(seconds=start_s), START + timedelta(seconds=end_s))


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


def test_pieces_make_up_the_stretches() -> None:
    """Each stage has its own; where two of a phase overlap, the later one begins when the other ends."""
    spans = [
        span("hold", 60, 90),
        span("ramp_up", 0, 20, "step_1"),
        span("ramp_up", 20, 60, "step_2"),
        span("ramp_up", 30, 40, "inside"),
        span("hold", 80, 100, "late"),
        span("recovery", 100, 100),
    ]
    start_us = epoch_us(START)
    found = [
        (one.phase, one.stage, one.stretch, (one.start_us - start_us) / 1e6, (one.end_us - start_us) / 1e6)
        for one in pieces(spans)
    ]
    assert found == [
        ("ramp_up", "step_1", 0, 0, 20),
        ("ramp_up", "step_2", 0, 20, 60),
        ("hold", "hold", 1, 60, 90),
        ("hold", "late", 1, 90, 100),
    ]
    assert pieces([]) == []
