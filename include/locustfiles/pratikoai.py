"""PratikoAI's users, as Locust runs them.

Each virtual user is one seeded test user with a session of its own. It draws its next scenario from a shuffled deck of
20 cards, thinks between two iterations, and every request is recorded with the time at which the user wanted it. In an
open load the users think of nothing: they serve arrivals, which bring their scenario and their time.
"""

import logging
import os
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import psutil
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopUser

from include.loadtest.profile import Stage
from include.loadtest.recorder import READING_INTERVAL_S, Sample
from include.loadtest.run import HEADER_PHASE, HEADER_RUN_ID
from include.loadtest.scenarios.documents import DOCUMENT_KINDS, document
from include.loadtest.scenarios.draws import Draws, Zipf, scenario_order
from include.locustfiles import (
    complex_query,
    document_upload,
    knowledge_search,
    simple_query,
    tax_calculation,
    user_operations,
)
from include.locustfiles.arrivals import Arrivals
from include.locustfiles.call import Call
from include.locustfiles.measuring import (
    FLUSH_INTERVAL_S,
    PROGRESS_INTERVAL_S,
    Measuring,
)
from include.locustfiles.plan import read_plan
from include.locustfiles.sending import Result, send
from include.locustfiles.session import Session, SessionStore
from include.locustfiles.user_context import UserContext

LOG = logging.getLogger("loadtest.generator")
PLAN = read_plan()
MEASURING = Measuring(PLAN)
SESSIONS = SessionStore(PLAN)
PROCESS = psutil.Process()
NEXT_CALL: dict[str, Callable[[UserContext], Call]] = {
    "simple_query": simple_query.next_call,
    "complex_query": complex_query.next_call,
    "tax_calculation": tax_calculation.next_call,
    "document_upload": document_upload.next_call,
    "knowledge_search": knowledge_search.next_call,
    "user_operations": user_operations.next_call,
}
POPULARITY = Zipf(PLAN.profile.questions.pool_size, PLAN.profile.questions.zipf_exponent)
RUN_KEY = zlib.crc32(PLAN.run_id.encode())
ARRIVALS = None if PLAN.profile.arrival is None else Arrivals(PLAN, MEASURING.clock, MEASURING.record)
_FREE_NUMBERS: Iterator[int] = iter(PLAN.user_numbers)
EVERY_STATUS = frozenset(range(100, 600))
STOP_DRAIN_S = 2.0
"""Running requests may finish that long after an order to stop: who ordered it kills after five seconds."""
_THINK, _CALLS = 2, 3
"""Keys that keep the streams of draws apart."""
_USERS_READY_WITHIN_S = 20.0


class PratikoUser(FastHttpUser):
    """One person at work with PratikoAI."""

    host = PLAN.base_url
    insecure = False
    max_redirects = 0
    network_timeout = connection_timeout = 600.0  # the patience of a request is kept by its own timer

    def on_start(self) -> None:
        """Take a test user and its session; both were prepared before the load."""
        number = next(_FREE_NUMBERS, None)
        if number is None:
            raise StopUser
        # Every status comes back as a response: what it means is judged by sending.py. Locust offers no other switch.
        self.client.client.valid_response_codes = EVERY_STATUS  # type: ignore[misc]
        self.client.client.redirect_response_codes = frozenset()  # type: ignore[misc]  # load never follows a redirect
        self._number = number
        self._session: Session = SESSIONS.of(number)
        seed = PLAN.profile.seed
        self._context = UserContext(
            number,
            Draws(seed, number, 0, _CALLS),
            POPULARITY,
            PLAN.profile.questions.pool_size,
            PLAN.profile.questions.new_share,
            RUN_KEY,
            self._session.studio_id,
            PLAN.caps,
        )
        self._scenarios = scenario_order(PLAN.profile.deck(), seed, number)
        self._think = Draws(seed, number, 0, _THINK)
        self._iteration = 0
        self._intended_ns = time.perf_counter_ns()

    def wait_time(self) -> float:
        """Seconds until the user wants its next iteration."""
        think = PLAN.profile.think_time_s
        now = time.perf_counter_ns()
        self._intended_ns = now + int(self._think.uniform(think.min, think.max) * 1e9)
        return (self._intended_ns - now) / 1e9

    @task
    def iterate(self) -> None:
        """One iteration, or in an open load one arrival after the other for as long as some come."""
        if ARRIVALS is not None:
            self._serve(ARRIVALS)
            raise StopUser
        self._renew_session()
        stage = PLAN.stage_at(MEASURING.clock.offset_s(self._intended_ns))
        if stage is None:
            raise StopUser
        self._ask(next(self._scenarios), stage)

    def _serve(self, arrivals: Arrivals) -> None:
        self._renew_session()
        while (arrival := arrivals.take()) is not None:
            self._intended_ns = arrival.intended_ns
            self._ask(arrival.scenario, arrival.stage)
            self._renew_session()

    def _ask(self, scenario: str, stage: Stage) -> None:
        """One request, one sample."""
        call = NEXT_CALL[scenario](self._context)
        timeout_s = PLAN.profile.request_timeout_s(scenario)
        started_ns = time.perf_counter_ns()
        result = Result("censored", "still running when the load ended", None, None, None)
        url = PLAN.base_url + PLAN.api_prefix + call.path
        try:
            result = send(self.client, call, url, self._headers(call), timeout_s)
        finally:  # also when the generator stops this user in the middle of a request
            ended_ns = time.perf_counter_ns()
            MEASURING.record(self._sample(scenario, call, stage, result, started_ns=started_ns, ended_ns=ended_ns))
            self._iteration += 1
            self._report(call, (ended_ns - started_ns) / 1e6, result)

    def _sample(
        self, scenario: str, call: Call, stage: Stage, result: Result, *, started_ns: int, ended_ns: int
    ) -> Sample:
        clock = MEASURING.clock
        return Sample(
            intended_start=clock.wall_ns(self._intended_ns),
            start=clock.wall_ns(started_ns),
            latency_us=(ended_ns - self._intended_ns) // 1000,
            ttfb_us=result.ttfb_us,
            scenario=scenario,
            endpoint=call.endpoint,
            iteration=self._iteration,
            phase=stage.phase,
            stage=stage.name,
            outcome=result.outcome,
            error=result.error,
            status=result.status,
            bytes=result.size,
            cache_hit=None,  # the target says nothing of its cache in an answer
            worker=PLAN.worker,
            user=self._number,
        )

    def _report(self, call: Call, response_time_ms: float, result: Result) -> None:
        """Locust's own statistics, for its HTML report only; verdicts never read them."""
        exception = None if result.error is None else RuntimeError(result.error)
        self.environment.events.request.fire(
            request_type=call.method,
            name=call.endpoint,
            response_time=response_time_ms,
            response_length=result.size or 0,
            exception=exception,
            context={},
        )

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {
            HEADER_RUN_ID: PLAN.run_id,
            HEADER_PHASE: "load",
            "traceparent": self._trace_parent(),
            **call.headers,
        }
        headers.update(self._session.headers(call.token))
        return headers

    def _trace_parent(self) -> str:
        """W3C trace context, a new trace for every request."""
        return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"

    def _renew_session(self) -> None:
        """A session older than 90 minutes is renewed before the request, outside the samples."""
        if self._session.is_old():
            self._session = SESSIONS.renew(self._number, self.client)
            self._intended_ns = time.perf_counter_ns()


class ProfileShape(LoadTestShape):
    """Users over time, from the profile; ends the run with the last stage, or where SIGTERM or a rule asks for it."""

    stopping = False

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now and how many may start a second; None ends the load."""
        clock = MEASURING.clock
        now = time.perf_counter_ns()
        if clock.load_started_ns is None and (ARRIVALS is None or self._users_are_ready()):
            clock.load_started_ns = now
            MEASURING.write_state(started_ns=clock.wall_ns(now), completed=False)
            if ARRIVALS is not None:
                ARRIVALS.begin()
        offset_s = clock.offset_s(now)
        is_over = offset_s >= PLAN.profile.load_s
        if is_over or self.stopping or MEASURING.stopping.decide(offset_s) is not None:
            if ARRIVALS is not None:
                ARRIVALS.end(drain=is_over)
            return None
        users = PLAN.profile.users
        return (max(1, PLAN.profile.users_at(offset_s)) if ARRIVALS is None else users), float(users)

    def _users_are_ready(self) -> bool:
        """Arrivals do not wait until the first users have started: those stand ready before the load's clock runs."""
        started = self.runner.user_count if self.runner else 0
        return started >= PLAN.profile.users or time.perf_counter() - self.start_time > _USERS_READY_WITHIN_S


def stop_soon(environment: Environment) -> None:
    """End the load at the shape's next tick."""
    environment.stop_timeout = STOP_DRAIN_S
    ProfileShape.stopping = True


def write_state(environment: Environment, now: int, *, completed: bool) -> None:
    """How the load ended, at `now` (of `perf_counter_ns`), for whoever watches this process or looks after it."""
    started_ns = MEASURING.clock.load_started_ns
    MEASURING.write_state(
        started_ns=None if started_ns is None else MEASURING.clock.wall_ns(started_ns),
        ended_ns=MEASURING.clock.wall_ns(now),
        completed=completed,
        lost_samples=MEASURING.lost_samples,
        max_users=max(MEASURING.max_users, environment.runner.user_count if environment.runner else 0),
        **MEASURING.stopping.account(),
        **({} if ARRIVALS is None else ARRIVALS.account()),
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def start_measuring(environment: Environment, **_: Any) -> None:
    """Prepare what the first requests need, and start the loops beside the users."""
    for kind in DOCUMENT_KINDS:
        document(kind)
    # Locust handles SIGTERM only when the shape has ended: until then the signal would kill it with its last samples.
    gevent.signal_handler(signal.SIGTERM, stop_soon, environment)
    PROCESS.cpu_percent()
    parent = os.getppid()

    def users() -> int:
        return environment.runner.user_count if environment.runner else 0

    def watch_parent() -> None:
        if os.getppid() != parent and environment.runner is not None:
            LOG.error("the process that started this generator is gone: the load ends now")
            MEASURING.flush()
            gevent.get_hub().threadpool.join()
            write_state(environment, time.perf_counter_ns(), completed=False)
            os._exit(3)

    MEASURING.every(FLUSH_INTERVAL_S, MEASURING.flush)
    MEASURING.every(READING_INTERVAL_S, lambda: MEASURING.read_generator(users(), PROCESS))

    def load() -> str:
        return f"{users()} users" if ARRIVALS is None else ARRIVALS.progress()

    MEASURING.every(PROGRESS_INTERVAL_S, lambda: print(MEASURING.progress_line(load()), flush=True))
    MEASURING.every(1.0, watch_parent)
    gevent.spawn(MEASURING.probe_lag)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def finish_measuring(environment: Environment, **_: Any) -> None:
    """Close the open part and say how the load ended."""
    now = time.perf_counter_ns()
    completed = MEASURING.stopping.stop is None and MEASURING.clock.offset_s(now) >= PLAN.profile.load_s
    if ARRIVALS is not None:
        ARRIVALS.close()
    MEASURING.read_generator(environment.runner.user_count if environment.runner else 0, PROCESS)
    for _attempt in range(2):  # what could not be written before is tried once more
        MEASURING.flush()
        gevent.get_hub().threadpool.join()
    write_state(environment, now, completed=completed)
