"""An open load: arrivals come on their schedule, whoever is free serves them, and some find nobody in time."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import gevent
from gevent.lock import Semaphore

from include.loadtest.profile import Stage
from include.loadtest.profile.schedule import ArrivalSchedule
from include.loadtest.recorder import Sample
from include.loadtest.run import NO_USER
from include.loadtest.scenarios.draws import scenario_order
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import Clock

NOT_SENT = "not_sent"
"""Endpoint of an arrival for which no request was sent."""
ON_TIME_S = 1.0
_MAX_SLEEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One arrival; `intended_ns` and `given_up_ns` by the monotonic clock."""

    number: int
    scenario: str
    stage: Stage
    intended_ns: int
    given_up_ns: int


class Arrivals:
    """Releases arrivals when they are due, hands them out first come, first served, and drops those nobody took.

    `record` gets the samples of arrivals that were never served. Memory holds the arrivals that wait, which is at most
    what comes in within the longest patience.
    """

    def __init__(self, plan: GeneratorPlan, clock: Clock, record: Callable[[Sample], None]) -> None:
        self._plan, self._clock, self._record = plan, clock, record
        self._schedule = ArrivalSchedule(plan.profile)
        profile = plan.profile
        self._scenarios = scenario_order(profile.deck(), profile.seed, NO_USER)
        own = None if profile.arrival is None else profile.arrival.patience_s
        self._patience_ns: dict[str, int] = {
            name: int((profile.request_timeout_s(name) if own is None else own) * 1e9) for name in profile.mix_pct
        }
        # One queue for each patience: in it, who came first is also given up first.
        self._queues: dict[int, deque[Arrival]] = {patience_ns: deque() for patience_ns in self._patience_ns.values()}
        self._waiting = Semaphore(0)
        self._ended = False
        self._unserved = 0
        self._released = 0
        self._on_time = 0

    def account(self) -> dict[str, int]:
        """For the generator's state file: what it should have released, and what it did as the schedule says.

        Every arrival that was released has a sample, whoever was free for it. One released later than `ON_TIME_S` after
        its time does not count as sent: that was the generator's doing, and never the target's.
        """
        return {"planned_arrivals": self._schedule.planned, "sent_arrivals": self._on_time}

    def begin(self) -> None:
        """The load's clock has started: arrivals come from now on, in a greenlet of their own."""
        gevent.spawn(self._run)

    def end(self, *, drain: bool) -> None:
        """No more arrivals come. `drain`: those that wait may still be served; otherwise they are cut now."""
        self._ended = True
        if not drain:
            self.close()
        self._waiting.release()  # one who waits wakes up, and wakes the next: nobody waits for what does not come

    def close(self) -> None:
        """Cut what still waits: censored, since nobody knows whether a user would have been free in time."""
        now = time.perf_counter_ns()
        self._drop_late(now)
        while (arrival := self._pop()) is not None:
            self._leave(arrival, now, "censored", "still waiting for a free user when the load ended")

    def take(self) -> Arrival | None:
        """The arrival that has waited longest, as soon as there is one; None when no more will come."""
        while True:
            self._waiting.acquire()
            self._drop_late(time.perf_counter_ns())
            arrival = self._pop()
            if arrival is not None:
                return arrival
            if self._ended:
                self._waiting.release()  # the next one who waits has to learn it too
                return None

    def progress(self) -> str:
        """The load as it is now, for people who wait."""
        waiting = sum(len(queue) for queue in self._queues.values())
        return f"{self._released:,} of {self._schedule.planned:,} arrivals, {waiting:,} waiting for a user"

    def _run(self) -> None:
        while not self._ended or self._next_given_up_ns() is not None:
            gevent.sleep(self._sleep_s())
            now = time.perf_counter_ns()
            self._release_due(now)
            self._drop_late(now)

    def _sleep_s(self) -> float:
        """To the next arrival or the next one to be given up."""
        due = self._next_due()
        moments = [moment for moment in (self._next_given_up_ns(), due and self._at_ns(due[0])) if moment is not None]
        left_ns = min(moments, default=2**63) - time.perf_counter_ns()
        return min(_MAX_SLEEP_S, max(0.0, left_ns / 1e9))

    def _next_due(self) -> tuple[float, Stage] | None:
        return None if self._ended else self._schedule.due(self._released)

    def _at_ns(self, offset_s: float) -> int:
        return (self._clock.load_started_ns or 0) + round(offset_s * 1e9)

    def _release_due(self, now_ns: int) -> None:
        while (due := self._next_due()) is not None:
            offset_s, stage = due
            intended_ns = self._at_ns(offset_s)
            if intended_ns > now_ns:
                return
            scenario = next(self._scenarios)
            patience_ns = self._patience_ns[scenario]
            self._queues[patience_ns].append(
                Arrival(self._released, scenario, stage, intended_ns, intended_ns + patience_ns)
            )
            self._released += 1
            self._on_time += now_ns - intended_ns <= ON_TIME_S * 1e9
            self._waiting.release()

    def _next_given_up_ns(self) -> int | None:
        return min((queue[0].given_up_ns for queue in self._queues.values() if queue), default=None)

    def _drop_late(self, now_ns: int) -> None:
        for patience_ns, queue in self._queues.items():
            while queue and queue[0].given_up_ns <= now_ns:
                arrival = queue.popleft()
                text = f"no user was free within {patience_ns / 1e9:g} s"
                self._leave(arrival, arrival.given_up_ns, "dropped", text)
                self._waiting.acquire(blocking=False)

    def _pop(self) -> Arrival | None:
        queues = [queue for queue in self._queues.values() if queue]
        return min(queues, key=lambda queue: queue[0].number).popleft() if queues else None

    def _leave(self, arrival: Arrival, at_ns: int, outcome: str, error: str) -> None:
        """The sample of an arrival that was never served."""
        self._record(
            Sample(
                intended_start=self._clock.wall_ns(arrival.intended_ns),
                start=self._clock.wall_ns(at_ns),
                latency_us=(at_ns - arrival.intended_ns) // 1000,
                ttfb_us=None,
                scenario=arrival.scenario,
                endpoint=NOT_SENT,
                iteration=self._unserved,
                phase=arrival.stage.phase,
                stage=arrival.stage.name,
                outcome=outcome,
                error=error,
                status=None,
                bytes=None,
                cache_hit=None,
                worker=self._plan.worker,
                user=NO_USER,
            )
        )
        self._unserved += 1
