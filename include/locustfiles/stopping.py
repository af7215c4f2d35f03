"""Ends the load early where the profile's rules say so, or where the target's lease is over.

Asked every second; it costs a request one append and a look at the clock.
"""

from collections.abc import Mapping
from pathlib import Path

from include.loadtest.auto_stop import Stop, StopRules
from include.loadtest.errors import printable
from include.loadtest.lease_file import LeaseGuard
from include.loadtest.profile import Profile
from include.loadtest.recorder import Sample

_NAME_CHARS, _TEXT_CHARS = 60, 200


class Stopping:
    """What ended since the last second, the rules, and what they said; once a load is stopped, it stays so."""

    def __init__(self, profile: Profile, lease_file: Path | None = None) -> None:
        self._lease = LeaseGuard(lease_file)
        self._rules = StopRules(profile.auto_stop, profile.validity.starvation)
        self._ended: list[tuple[str, int, int | None]] = []
        self.stop: Stop | None = None
        self._is_ordered = False

    def note(self, sample: Sample) -> None:
        """A request ended."""
        self._ended.append((sample.outcome, sample.latency_us, sample.status))

    def may_send(self) -> bool:
        """Whether a request may begin now: asked right before each, since a process may have been stopped meanwhile."""
        return self.stop is None and not self._is_ordered and self._lease.holds()

    def order(self) -> None:
        """Whoever watches this process has ordered its end: nothing begins any more, before anybody is told to end."""
        self._is_ordered = True

    def end(self, code: str, text: str) -> None:
        """End the load for that reason; the first one stands."""
        self.stop = self.stop or Stop(code, text)

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
        ended, self._ended = self._ended, []
        for outcome, latency_us, status in ended:
            self._rules.note(offset_s, outcome, latency_us / 1000, status)
        if self.stop is None and (lost := self._lease.check()) is not None:
            self.stop = Stop(LeaseGuard.CODE, lost)
        if self.stop is None and offset_s >= 0:
            self.stop = self._rules.decide(offset_s)
        return self.stop

    def account(self) -> dict[str, str | None]:
        """For the generator's state file."""
        return {"stopped_by": self.stop.code if self.stop else None, "stop_text": self.stop.text if self.stop else None}
