"""Tries one requirement after the other with one user; what no request says goes into checks.json."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gevent

from include.loadtest.profile.checks import Checks
from include.loadtest.run import CHECKS
from include.loadtest.scenarios.draws import Draws
from include.loadtest.scenarios.requirements import is_not_exposed
from include.locustfiles.call import Call
from include.locustfiles.check_calls import Calls
from include.locustfiles.measured_user import MeasuredUser
from include.locustfiles.registry import NextCall
from include.locustfiles.sending import Result

LEAST_TIMEOUT_S = 0.05
_PAUSES = 4
"""Keeps the stream of pauses apart from a user's other draws."""
Say = Callable[[str], None]


@dataclass
class Notes:
    """checks.json: `{"schema": 1, "requirements": {name: note}}`, written anew with each note.

    A note has `state`: `checked` (all its attempts were made) or `not_exposed` (with `text`: the path that was tried).
    A requirement that was not finished has none. `seconds` stands where the end is no request's: of each attempt, with
    `lower_bound` where it was waited for in vain. `failed`: why the only attempt came to no end at all. `hits`: of each
    search. `status`: of a compliance report. `read_back`: what was answered to a look at a document that was taken,
    where the target has no such route.
    """

    bundle: Path
    say: Say
    requirements: dict[str, dict[str, Any]] = field(default_factory=dict)
    _under_way: tuple[str, float] | None = None

    def begin(self, name: str) -> None:
        """What requests are sent for now."""
        if self._under_way is None or self._under_way[0] != name:
            self._under_way = (name, time.monotonic())

    def progress(self) -> str | None:
        """What is under way and for how long; None before the first request."""
        if self._under_way is None:
            return None
        name, since_s = self._under_way
        return f"{name}: under way for {time.monotonic() - since_s:.0f} s"

    def checked(self, requirement: str, shown: str, **figures: Any) -> None:
        """All attempts were made."""
        self._write(requirement, {"state": "checked", **figures}, shown)

    def not_exposed(self, requirement: str, text: str) -> None:
        """The target does not have it."""
        self._write(requirement, {"state": "not_exposed", "text": text}, f"not exposed: {text}")

    def _write(self, requirement: str, note: dict[str, Any], shown: str) -> None:
        self.requirements[requirement] = note
        path = self.bundle / CHECKS
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"schema": 1, "requirements": self.requirements}, indent=2), encoding="utf-8")
        temporary.replace(path)
        self.say(f"{requirement}: {shown}")


@dataclass
class Checker:
    """One user who tries requirements; each attempt is an iteration, its requests are samples of the requirement."""

    user: MeasuredUser
    checks: Checks
    notes: Notes

    def __post_init__(self) -> None:
        plan = self.user.team.plan
        self.profile, self.stage = plan.profile, plan.stages[0]
        self._pauses = Draws(self.profile.seed, self.user.number, 0, _PAUSES)

    def pause(self) -> None:
        """Between two attempts."""
        think = self.profile.think_time_s
        gevent.sleep(self._pauses.uniform(think.min, think.max))

    def request(self, scenario: str, call: Call, timeout_s: float) -> Result:
        """One request, intended now."""
        self.notes.begin(scenario)
        self.user.intended_ns = time.perf_counter_ns()
        return self.user.ask(scenario, call, self.stage, timeout_s)

    def patience_s(self, requirement: str) -> float:
        """How long one attempt may take."""
        return self.profile.request_timeout_s(requirement)

    def is_answer(self, result: Result) -> bool:
        """Whether the target has the route that was asked."""
        return not is_not_exposed(result.status, result.content)

    def refused(self, requirement: str, call: Call, result: Result) -> bool:
        """Whether the target has no such route; it is noted then."""
        if self.is_answer(result):
            return False
        self.notes.not_exposed(requirement, f"{call.method} {call.path}: {result.error}")
        return True

    def check(self, requirement: str, calls: Calls | str, figures: Mapping[str, Any] = MappingProxyType({})) -> None:
        """All attempts of a requirement, up to its budget; a target without it is asked once.

        `figures` is noted with it; the calls may fill it.
        """
        if isinstance(calls, str):
            self.notes.not_exposed(requirement, calls)
            return
        self.user.renew_session()
        checks, limit_s = self.checks, self.profile.requirement_limit_s(requirement)
        began_s, slowest_s, failed = time.monotonic(), 0.0, ""
        for number in range(checks.repeats_of(requirement)):
            if number and time.monotonic() - began_s > checks.budget_s(requirement, limit_s):
                break
            attempt_s = time.monotonic()
            call, result = self._attempt(requirement, calls(number))
            if number == 0 and self.refused(requirement, call, result):
                return
            slowest_s = max(slowest_s, time.monotonic() - attempt_s)
            failed = failed if result.error is None else f", failed: {result.error}"
            self.pause()
        self.notes.checked(requirement, f"{number + 1} attempts, the slowest {slowest_s:.1f} s{failed}", **figures)

    def _attempt(self, requirement: str, calls: Iterable[Call]) -> tuple[Call, Result]:
        """Its requests one after the other, up to the first that fails; they share one patience. Gives the last one."""
        deadline_s = time.monotonic() + self.patience_s(requirement)
        try:
            for call in calls:
                timeout_s = max(LEAST_TIMEOUT_S, deadline_s - time.monotonic())
                result = self.request(requirement, call, timeout_s)
                if result.outcome != "ok":
                    break
        finally:
            self.user.iteration += 1
        return call, result

    def scenario(self, name: str, next_call: NextCall) -> None:
        """Iterations of a user scenario, as an unloaded system serves them, up to the time that slow ones take."""
        self.user.renew_session()
        timeout_s = self.profile.request_timeout_s(name)
        deadline_s = time.monotonic() + self.checks.scenario_repeats * timeout_s / 2
        for number in range(self.checks.scenario_repeats):
            if number and time.monotonic() > deadline_s:
                break
            self.request(name, next_call(self.user.scenario_context), timeout_s)
            self.user.iteration += 1
            self.pause()

    def wait_for(self, requirement: str, look: Callable[[float], bool | None], since_s: float, poll_s: float) -> None:
        """Look again and again until it is so; how long that took, from `since_s` (monotonic), is noted.

        `look` is given what is left of the patience; it says None where looking makes no sense, which it has noted.
        """
        deadline_s = since_s + self.patience_s(requirement)
        while (found := look(max(LEAST_TIMEOUT_S, deadline_s - time.monotonic()))) is False:
            if time.monotonic() >= deadline_s:
                break
            gevent.sleep(poll_s)
        waited_s = time.monotonic() - since_s
        self.user.iteration += 1
        if found is not None:
            shown = f"after {waited_s:.1f} s" if found else f"not within {waited_s:.1f} s"
            self.notes.checked(requirement, shown, seconds=[waited_s], lower_bound=not found)

    def failed(self, requirement: str, call: Call, result: Result) -> bool:
        """Whether a request failed, so that its requirement is missed, or not exposed; that is noted then."""
        if result.outcome == "ok":
            return False
        if not self.refused(requirement, call, result):
            self.missed(requirement, str(result.error))
        return True

    def missed(self, requirement: str, error: str) -> None:
        """Its attempt failed, whatever its requests took: it is noted so."""
        self.user.iteration += 1
        self.notes.checked(requirement, f"failed: {error}", failed=error)
