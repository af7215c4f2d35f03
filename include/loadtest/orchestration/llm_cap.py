"""The most that a run may ask of the target's LLM, and when a load has to end so that no call comes after it. Pure.

Calls are counted where they are made, so those that anybody else causes meanwhile count too.
"""

import math
from dataclasses import dataclass

from include.loadtest.auto_stop import Stop
from include.loadtest.errors import ConfigError
from include.loadtest.profile import Profile
from include.loadtest.target.settings import TargetFile

CAPPED, UNWATCHED = "cost_cap", "cap_unwatched"
"""Reason codes: the cap is near, and its counter cannot be read or believed."""
BLIND_S = 5.0
"""A counter that cannot be read for longer ends the load."""
ORDER_S = 1.25
"""An order to end needs at most so long: it is asked for every 0.25 s, and then a signal has to reach the generator."""
WITHOUT_LLM = frozenset({"tax_calculation", "knowledge_search", "user_operations"})
"""Scenarios whose calls the target answers by itself; any other one may ask its LLM."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Cap:
    """So many calls, and how a person reads it."""

    calls: int
    text: str


def cap_of(profile: Profile, file: TargetFile) -> Cap | None:
    """The cap of a profile on a target, the tighter one of two; None without any.

    Raises ConfigError where it is a cost and nobody said what a call costs, and where nothing bounds what may come.
    """
    wanted = profile.llm
    if wanted is None:
        return None
    if profile.arrival is None and not profile.think_time_s.min:
        raise ConfigError(
            f"profile {profile.name}: llm caps the calls of the LLM, but think_time_s.min is 0, so nothing bounds the "
            "questions of a second and none could be kept under the cap: make it greater than 0, or remove llm"
        )
    caps = []
    if wanted.max_calls is not None:
        caps.append(Cap(wanted.max_calls, f"{wanted.max_calls:,} calls (llm.max_calls)"))
    if wanted.max_cost_eur is not None:
        price_eur = file.llm_price_eur_a_call
        if price_eur is None:
            raise ConfigError(
                f"profile {profile.name}: llm.max_cost_eur needs the price of a call: set llm_price_eur_a_call in "
                f"{file.path}, or write llm.max_calls instead"
            )
        calls = math.floor(wanted.max_cost_eur / price_eur + _ROUNDING)
        cost = f"llm.max_cost_eur {wanted.max_cost_eur:g} at {price_eur:g} EUR a call"
        caps.append(Cap(calls, f"{calls:,} calls ({cost})"))
    return min(caps, key=lambda cap: cap.calls)


@dataclass(frozen=True)
class Pace:
    """The most that a load may do: questions under way at once, and new ones a second; in calls of the LLM."""

    under_way: float
    per_s: float

    @classmethod
    def of(cls, profile: Profile, calls_a_question: int) -> "Pace":
        """From the profile alone, as if no cache held anything, every answer came at once and every pause were the
        shortest that the profile allows; `cap_of` refuses one of 0.
        """
        if profile.arrival is not None:
            per_s = profile.arrival.rate_rpm / 60
        else:
            per_s = profile.users / profile.think_time_s.min
        pct = sum(pct for name, pct in profile.scenario_shares.items() if name not in WITHOUT_LLM)
        share = pct / 100 if profile.checks is None else 1.0
        return cls(float(calls_a_question * profile.users), calls_a_question * per_s * share)


class Tally:
    """Calls since the warm-up began, by looks at one counter; times are seconds of a clock that never goes back."""

    def __init__(self, cap: Cap, counted: float, value: float, at_s: float) -> None:
        self.cap = cap
        self.counted, self.value = counted, value
        self._at_s = at_s
        self._peak_per_s = 0.0
        self._problem = "it was not read"
        self._lost: str | None = None

    def note(self, value: float, at_s: float) -> None:
        """The counter's value. One that is lower than before counts no longer what it did."""
        if value < self.value:
            self.note_lost(f"it fell from {self.value:,.0f} to {value:,.0f}: restarted, or one of several that count")
            return
        gained, seconds = value - self.value, at_s - self._at_s
        if seconds > 0:
            self._peak_per_s = max(self._peak_per_s, gained / max(seconds, 1.0))
        self.counted += gained
        self.value, self._at_s = value, at_s

    def note_failure(self, text: str) -> None:
        """The counter could not be read."""
        self._problem = text

    def note_lost(self, text: str) -> None:
        """It is not the counter that the count began with; from now on no value of it is believed."""
        self._lost = text

    def decide(self, pace: Pace, at_s: float) -> Stop | None:
        """What ends the load now; None: an order to end would still come in time a moment later.

        After the last look there come at most: what was under way then, and for each second that the look is old, or
        that the order takes, as many as the profile allows, or as were seen where that is more.
        """
        age_s = at_s - self._at_s
        further = pace.under_way + max(pace.per_s, self._peak_per_s) * (age_s + ORDER_S)
        return self.unwatched(at_s) or self.passed_with(further)

    def unwatched(self, at_s: float) -> Stop | None:
        """What ends the load where the count is not known any more."""
        problem, age_s = self._lost, at_s - self._at_s
        if problem is None and age_s > BLIND_S:
            problem = f"{self._problem}; its last value is {age_s:.0f} s old"
        if problem is None:
            return None
        counted = f"after {self.counted:,.0f} of {self.cap.text}"
        return Stop(UNWATCHED, f"the calls of the LLM can no longer be counted ({problem}), {counted}")

    def passed_with(self, further: float) -> Stop | None:
        """What ends the load where so many further calls would pass the cap."""
        if self.counted + further <= self.cap.calls:
            return None
        text = (
            f"{self.counted:,.0f} calls of the LLM were counted since the warm-up began, and up to "
            f"{math.ceil(further):,} more may come before all have ended; the cap is {self.cap.text}"
        )
        return Stop(CAPPED, text)
