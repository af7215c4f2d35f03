"""Ends the load early where the profile's rules say so, or where the target's lease is over.

Asked every second; it costs a request one append and a look at the clock.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from include.loadtest.auto_stop import Stop, StopRules
from include.loadtest.errors import printable
from include.loadtest.lease_file import LeaseGuard
from include.loadtest.profile import Profile
from include.loadtest.recorder import Sample

_NAME_CHARS, _TEXT_CHARS = 60, 200


class Ended(NamedTuple):
    """What the rules need of a request that ended."""

    outcome: str
    latency_us: int
    status: int | None


class Stopping:
    """What ended since the last second, the rules, and what they said; once a load is stopped, it stays so."""

    def __init__(self, profile: Profile, lease_file: Path | None = None) -> None:
        self._lease = LeaseGuard(lease_file)
        self._rules = StopRules(profile.auto_stop, profile.validity.starvation)
        self._ended: list[Ended] = []
        self.stop: Stop | None = None
        self.is_ordered = False

    def note(self, sample: Sample | Ended) -> None:
        """A request ended."""
        self._ended.append(Ended(sample.outcome, sample.latency_us, sample.status))

    def take_ended(self) -> list[Ended]:
        """What ended since this, or `decide`, was called last."""
        ended, self._ended = self._ended, []
        return ended

    def may_send(self) -> bool:
        """Whether a request may begin now: asked right before each, since a process may have been stopped meanwhile."""
        return self.stop is None and not self.is_ordered and self._lease.holds()

    def order(self) -> None:
        """Whoever watches this process has ordered its end: nothing begins any more, before anybody is told to end."""
        self.is_ordered = True

    def end(self, code: str, text: str) -> None:
        """End the load for that reason; the first one stands."""
        self.stop = self.stop or Stop(code, text)

    def end_unless_ordered(self, code: str, text: str) -> None:
        """As `end`, but where somebody has ordered the end by now, that is the reason."""
        if not self.is_ordered:
            self.end(code, text)

    def scenario_failed(self, scenario: str, error: str, text: str) -> None:
        """A scenario's own code raised that error: without the scenario the load is another one than the profile's."""
        named = f"{printable(scenario, _NAME_CHARS)} raised {printable(error, _NAME_CHARS)}"
        self.end("scenario_failed", f"the scenario {named}: {printable(text, _TEXT_CHARS)}")

    def note_reading(self, offset_s: float, figures: Mapping[str, float]) -> None:
        """A reading of the generator; what it was before the load began, concerns nobody."""
        if offset_s >= 0:
            self._rules.note_reading(offset_s, figures)

    def decide(self, offset_s: float) -> Stop | None:
        """Why the load ends now, if it does; `offset_s`: seconds since its first intended start, below 0 before it."""
        for outcome, latency_us, status in self.take_ended():
            self._rules.note(offset_s, outcome, latency_us / 1000, status)
        if self.stop is None and (lost := self._lease.check()) is not None:
            self.stop = Stop(LeaseGuard.CODE, lost)
        if self.stop is None and offset_s >= 0:
            self.stop = self._rules.decide(offset_s)
        return self.stop

    def account(self) -> dict[str, str | None]:
        """For the generator's state file."""
        return {"stopped_by": self.stop.code if self.stop else None, "stop_text": self.stop.text if self.stop else None}
