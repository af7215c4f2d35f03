"""The phases of a run: where their stretches begin and end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MINUTE_US = 60_000_000


@dataclass(frozen=True)
class PhaseSpan:
    """One stage of a phase as it really ran; `end` is no longer part of it. Both times carry their zone."""

    name: str
    stage: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Stretch:
    """An unbroken part of a phase, in microseconds since 1970 (UTC): stages that follow each other are one."""

    phase: str
    start_us: int
    end_us: int

    @property
    def full_minutes(self) -> int:
        """Minutes from the start that lie inside; a missing millisecond (times computed as floating point) is none."""
        return (self.end_us - self.start_us + 1000) // MINUTE_US


@dataclass(frozen=True)
class Piece:
    """A stage's part of a stretch (`stretch` is its place among them), in microseconds since 1970 (UTC)."""

    phase: str
    stage: str
    stretch: int
    start_us: int
    end_us: int


def phase_spans(manifest: Mapping[str, Any]) -> list[PhaseSpan]:
    """The spans that the manifest states; one without an end (the generator died in it) has no length: left out."""
    return [
        PhaseSpan(
            entry["name"], entry["stage"], datetime.fromisoformat(entry["start"]), datetime.fromisoformat(entry["end"])
        )
        for entry in manifest.get("phases", [])
        if entry.get("start") and entry.get("end")
    ]


def stretches(spans: Sequence[PhaseSpan]) -> list[Stretch]:
    """Spans of positive length in order of time, those that continue their predecessor's phase joined to it."""
    joined: list[Stretch] = []
    for span in sorted(spans, key=lambda span: span.start):
        start_us, end_us = epoch_us(span.start), epoch_us(span.end)
        last = joined[-1] if joined else None
        if last is not None and last.phase == span.name and start_us <= last.end_us:
            joined[-1] = Stretch(span.name, last.start_us, max(last.end_us, end_us))
        elif end_us > start_us:
            joined.append(Stretch(span.name, start_us, end_us))
    return joined


def pieces(spans: Iterable[PhaseSpan]) -> list[Piece]:
    """The stages of all stretches, in order of time: together they are the stretches, and within one none overlap."""
    spans = sorted(spans, key=lambda span: span.start)
    parts = stretches(spans)
    ends_us = [part.start_us for part in parts]
    found = []
    for span in spans:
        end_us = epoch_us(span.end)
        number = _stretch_of(span, parts)
        if number is not None and end_us > ends_us[number]:
            found.append(Piece(span.name, span.stage, number, max(epoch_us(span.start), ends_us[number]), end_us))
            ends_us[number] = end_us
    return found


def _stretch_of(span: PhaseSpan, parts: Sequence[Stretch]) -> int | None:
    start_us = epoch_us(span.start)
    own = (
        number
        for number, part in enumerate(parts)
        if part.phase == span.name and part.start_us <= start_us < part.end_us
    )
    return next(own, None)


def minutes_of(parts: Iterable[Stretch], phase: str) -> float:
    """Length of a phase in minutes."""
    return sum(part.end_us - part.start_us for part in parts if part.phase == phase) / MINUTE_US


def epoch_us(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - datetime.fromisoformat("1970-01-01T00:00:00+00:00")) // timedelta(microseconds=1)
