"""The steps of a stepped load, and the first of them that brings too little. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from include.loadtest.profile import Profile

LEAST_REQUESTS = 20
"""Fewer requests say nothing about a step, as for a P95."""
LEAST_GAIN_SHARE = 0.5
"""A step gains where its throughput rises by more than this share of what its further users would bring."""
_Z = 1.959963984540054  # the normal distribution's 97.5 % point
_TOLERANCE_S = 0.001  # times computed as floating point
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A step that ran to its planned end: an entry of `stages` in metrics.json with its time in µs since 1970 (UTC)."""

    users: int
    start_us: int
    end_us: int
    figures: Row

    @property
    def n(self) -> int:
        """Requests that were started in it."""
        return int(self.figures["n"])

    @property
    def throughput_rpm(self) -> float | None:
        """Ok answers a minute; None where not known."""
        value: float | None = self.figures["throughput_rpm"]
        return value

    @property
    def answers(self) -> float:
        """Ok answers that ended in it."""
        return (self.throughput_rpm or 0.0) * (self.end_us - self.start_us) / 60e6

    @property
    def throughput_interval_rpm(self) -> tuple[float, float] | None:
        """95 % interval of the throughput: a Poisson count's, by the normal approximation of its logarithm."""
        if not self.throughput_rpm or self.answers < LEAST_REQUESTS:
            return None
        factor = math.exp(_Z / math.sqrt(self.answers))
        return self.throughput_rpm / factor, self.throughput_rpm * factor


def steps_of(profile: Profile, manifest: Row, metrics: Row) -> list[Step]:
    """The steps that ran whole, hold included, up to the first that did not; recovery is none."""
    rows = {(row["phase"], row["stage"]): row for row in metrics.get("stages") or ()}
    times = {(entry["name"], entry["stage"]): entry for entry in manifest.get("phases") or ()}
    found: list[Step] = []
    for stage in profile.stages():
        key = (stage.phase, stage.name)
        time, row = times.get(key), rows.get(key)
        if stage.phase == "recovery" or row is None or time is None or not (time.get("start") and time.get("end")):
            break
        start_us, end_us = (_epoch_us(time[side]) for side in ("start", "end"))
        if row["seconds"] + _TOLERANCE_S < stage.end_s - stage.start_s:
            break
        found.append(Step(stage.users_to, start_us, end_us, row))
    return found


def _epoch_us(moment: str) -> int:
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)


def gains(before: Step, after: Step) -> bool | None:
    """Whether more users bring more throughput; None where the counts of answers do not tell.

    The ratio of two Poisson counts has a logarithm with the variance 1/n1 + 1/n2. A closed load varies less, so this
    says "not known" rather too often.
    """
    if min(before.answers, after.answers) < LEAST_REQUESTS or not (before.throughput_rpm and after.throughput_rpm):
        return None
    wanted = math.log1p(LEAST_GAIN_SHARE * (after.users / before.users - 1))
    found = math.log(after.throughput_rpm / before.throughput_rpm)
    half = _Z * math.sqrt(1 / before.answers + 1 / after.answers)
    if found - half > wanted:
        return True
    return False if found + half < wanted else None


def first_without_gain(steps: Sequence[Step]) -> int | None:
    """Place of the first step that gains no throughput over the one before; None where none is shown to."""
    pairs = enumerate(pairwise(steps), start=1)
    return next((place for place, (before, after) in pairs if gains(before, after) is False), None)
