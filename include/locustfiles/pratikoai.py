"""PratikoAI's users, as Locust runs them.

Each virtual user is one seeded test user with a session of its own. It draws its next scenario from a shuffled deck of
20 cards, thinks between two iterations, and every request is recorded with the time at which the user wanted it. In an
open load the users think of nothing: they serve arrivals, which bring their scenario and their time.

Where several generators share a load, this file is loaded by their master, which leads it, and by each of them.
"""

import time
from typing import Any

from locust import LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopUser

from include.loadtest.profile import Stage
from include.loadtest.scenarios.documents import DOCUMENT_KINDS, document
from include.loadtest.scenarios.draws import Draws, scenario_order
from include.locustfiles.arrivals import Arrivals
from include.locustfiles.lifecycle import Lifecycle
from include.locustfiles.master import Master
from include.locustfiles.measured_user import MeasuredUser, Team
from include.locustfiles.member import Member
from include.locustfiles.plan import read_plan
from include.locustfiles.registry import called, next_calls

PLAN = read_plan()
TEAM = Team(PLAN)
MEASURING = TEAM.measuring
NEXT_CALL = next_calls(PLAN.profile)
TIMEOUT_S = {name: PLAN.profile.request_timeout_s(name) for name in NEXT_CALL}
ARRIVALS = None if PLAN.profile.arrival is None else Arrivals(PLAN, MEASURING.clock, MEASURING.record)
MASTER = Master(MEASURING) if PLAN.is_master else None
MEMBER = Member(MEASURING, PLAN.number) if PLAN.number else None
_THINK = 2
"""Keeps the stream of a user's draws apart from its other ones."""
_USERS_READY_WITHIN_S = 20.0


class PratikoUser(MeasuredUser):
    """One person at work with PratikoAI."""

    host = PLAN.base_url
    team = TEAM

    def on_start(self) -> None:
        """Take a test user, its deck and its pauses."""
        super().on_start()
        self._scenarios = scenario_order(PLAN.profile.deck(), PLAN.profile.seed, self.number)
        self._think = Draws(PLAN.profile.seed, self.number, 0, _THINK)

    def wait_time(self) -> float:
        """Seconds until the user wants its next iteration."""
        think = PLAN.profile.think_time_s
        now = time.perf_counter_ns()
        self.intended_ns = now + int(self._think.uniform(think.min, think.max) * 1e9)
        return (self.intended_ns - now) / 1e9

    @task
    def iterate(self) -> None:
        """One iteration, or in an open load one arrival after the other for as long as some come."""
        if ARRIVALS is not None:
            self._serve(ARRIVALS)
            raise StopUser
        self.renew_session()
        stage = PLAN.stage_at(MEASURING.clock.offset_s(self.intended_ns))
        if stage is None:
            raise StopUser
        self._ask(next(self._scenarios), stage)

    def _serve(self, arrivals: Arrivals) -> None:
        self.renew_session()
        while (arrival := arrivals.take()) is not None:
            self.intended_ns = arrival.intended_ns
            self._ask(arrival.scenario, arrival.stage)
            self.renew_session()

    def _ask(self, scenario: str, stage: Stage) -> None:
        try:
            with self.code_of(scenario):
                call = called(NEXT_CALL[scenario](self.scenario_context))
            self.ask(scenario, call, stage, TIMEOUT_S[scenario])
        finally:
            self.iteration += 1


class ProfileShape(LoadTestShape):
    """Users over time, from the profile; ends the run with the last stage, or where SIGTERM or a rule asks for it."""

    stopping = False

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now and how many may start a second; None ends the load."""
        clock = MEASURING.clock
        now = time.perf_counter_ns()
        stop = MEASURING.stopping.decide(clock.offset_s(now))
        is_ended = stop is not None or self.stopping
        if not is_ended and clock.load_started_ns is None and (ARRIVALS is None or self._users_are_ready()):
            clock.load_started_ns = now
            MEASURING.write_state(started_ns=clock.wall_ns(now), completed=False)
            if ARRIVALS is not None:
                ARRIVALS.begin()
            if MASTER is not None:
                MASTER.begin(clock.wall_ns(now))
        offset_s = clock.offset_s(now)
        is_over = offset_s >= PLAN.profile.load_s
        if is_over or is_ended:
            if ARRIVALS is not None:
                ARRIVALS.end(drain=is_over)
            if MASTER is not None:
                MASTER.end(is_over=is_over)
            return None
        users = PLAN.profile.users
        return (max(1, PLAN.profile.users_at(offset_s)) if ARRIVALS is None else users), float(users)

    def _users_are_ready(self) -> bool:
        """Arrivals do not wait until the first users have started: those stand ready before the load's clock runs."""
        started = self.runner.user_count if self.runner else 0
        return started >= PLAN.profile.users or time.perf_counter() - self.start_time > _USERS_READY_WITHIN_S


def stop() -> None:
    """End the load at the shape's next tick; a master tells the others at once, and one of them leaves."""
    ProfileShape.stopping = True
    if MASTER is not None:
        MASTER.order()
    if MEMBER is not None:
        MEMBER.leave("somebody ended its task")


def progress(users: int) -> str | None:
    """A line for people who wait; of several generators the master says it."""
    if MEMBER is not None:
        return None
    if MASTER is not None and (waiting := MASTER.progress()) is not None:
        return waiting
    return MEASURING.progress_line(f"{users} users" if ARRIVALS is None else ARRIVALS.progress())


def account() -> dict[str, object]:
    """Further keys of the state file."""
    return {
        **({} if ARRIVALS is None else ARRIVALS.account()),
        **({} if MASTER is None else MASTER.account()),
        **({"samples": MEASURING.samples} if MASTER is None else {}),
    }


def orphaned() -> None:
    """Tell the master, which would else notice it some seconds later."""
    if MEMBER is not None:
        MEMBER.farewell("the process of its task is gone")


LIFE = Lifecycle(MEASURING, stop, progress, account, orphaned)


@events.init.add_listener  # type: ignore[untyped-decorator]
def start_measuring(environment: Environment, **_: Any) -> None:
    """Prepare what the first requests need, and start the loops beside the users."""
    for kind in DOCUMENT_KINDS if MASTER is None else ():
        document(kind)
    LIFE.start(environment)
    if MEMBER is not None:
        MEMBER.start(environment, lambda: finish_measuring(environment))
    if MASTER is not None:
        MASTER.start(environment, lambda: ProfileShape.stopping)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def finish_measuring(environment: Environment, **_: Any) -> None:
    """Close the open part and say how the load ended."""
    if MEMBER is not None and not MEMBER.may_finish():
        return  # it has
    completed = (
        MEASURING.stopping.stop is None and MEASURING.clock.offset_s(time.perf_counter_ns()) >= PLAN.profile.load_s
    )
    if ARRIVALS is not None:
        ARRIVALS.close()
    LIFE.finish(environment, completed=completed, ended_ns=None if MASTER is None else MASTER.ended_ns)
