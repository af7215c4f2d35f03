"""A virtual user of which every request is a sample: one seeded test user with a session of its own."""

import logging
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import ClassVar

from locust import FastHttpUser
from locust.exception import StopUser

from include.loadtest.profile import Stage
from include.loadtest.recorder import Sample
from include.loadtest.run import HEADER_PHASE, HEADER_RUN_ID, PLAIN_BODIES, trace_id
from include.loadtest.scenarios.draws import Draws, Zipf
from include.locustfiles.call import Call
from include.locustfiles.measuring import Measuring
from include.locustfiles.pinning import pin_addresses
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import NOT_JUDGED
from include.locustfiles.sending import Result, send
from include.locustfiles.session import Session, SessionStore
from include.locustfiles.user_context import UserContext

LOG = logging.getLogger("loadtest.generator")
EVERY_STATUS = frozenset(range(100, 600))
_CALLS = 3
"""Keeps the stream of a user's draws apart from its other ones."""


class Team:
    """What the users of one generator share."""

    def __init__(self, plan: GeneratorPlan) -> None:
        self.plan = plan
        pin_addresses(plan.base_url, plan.addresses)
        self.measuring = Measuring(plan)
        self.sessions = SessionStore(plan)
        self._free_numbers = iter(plan.user_numbers)
        self._popularity = Zipf(plan.profile.questions.pool_size, plan.profile.questions.zipf_exponent)

    def next_number(self) -> int | None:
        """A test user that nobody plays yet; None where all are taken."""
        return next(self._free_numbers, None)

    @cached_property
    def run_key(self) -> int:
        """A number of this run's own."""
        return zlib.crc32(self.plan.run_id.encode())

    def context(self, number: int) -> UserContext:
        """What a user's scenarios may know of it."""
        questions = self.plan.profile.questions
        return UserContext(
            number,
            Draws(self.plan.profile.seed, number, 0, _CALLS),
            self._popularity,
            questions.pool_size,
            questions.new_share,
            self.run_key,
            self.sessions.of(number).studio_id,
            self.plan.caps,
        )


class MeasuredUser(FastHttpUser):
    """Sends calls and records them; what it sends when is its subclass's matter."""

    abstract = True
    insecure = False
    max_redirects = 0
    network_timeout = connection_timeout = 600.0  # the patience of a request is kept by its own timer
    team: ClassVar[Team]

    def on_start(self) -> None:
        """Take a test user and its session; both were prepared before the load."""
        number = self.team.next_number()
        if number is None:
            raise StopUser
        # Every status comes back as a response: what it means is judged by sending.py. Locust offers no other switch.
        self.client.client.valid_response_codes = EVERY_STATUS  # type: ignore[misc]
        self.client.client.redirect_response_codes = frozenset()  # type: ignore[misc]  # load never follows a redirect
        self.iteration = 0
        self.play(number)

    def play(self, number: int) -> None:
        """Be that test user from now on."""
        self.number = number
        self.session: Session = self.team.sessions.of(number)
        self.scenario_context = self.team.context(number)
        self.intended_ns = time.perf_counter_ns()

    def ask(self, scenario: str, call: Call, stage: Stage, timeout_s: float) -> Result:
        """One request, one sample: intended at `intended_ns`, of the iteration `iteration`."""
        self.refuse_without_lease()
        started_ns = time.perf_counter_ns()
        result = Result("censored", "still running when the load ended", None, None, None)
        url = self.team.plan.base_url + self.team.plan.api_prefix + call.path
        try:
            with self.code_of(scenario):
                result = send(self.client, call, url, self._headers(call), timeout_s)
        except StopUser:
            result = Result("censored", NOT_JUDGED, None, None, None)
            raise
        finally:  # also when the generator stops this user in the middle of a request
            ended_ns = time.perf_counter_ns()
            sample = self._sample(scenario, call, stage, result, started_ns=started_ns, ended_ns=ended_ns)
            self.team.measuring.record(sample)
            self._report(call, (ended_ns - started_ns) / 1e6, result)
        return result

    @contextmanager
    def code_of(self, scenario: str) -> Iterator[None]:
        """Around a scenario's own code: what it raises ends this user now, and the load at the shape's next tick."""
        try:
            yield
        except Exception as error:
            LOG.exception("a scenario raised an error")
            self.team.measuring.stopping.scenario_failed(scenario, type(error).__name__, str(error))
            raise StopUser from error

    def refuse_without_lease(self) -> None:
        """End this user rather than send anything; the shape's next tick ends the load."""
        if not self.team.measuring.stopping.may_send():
            raise StopUser

    def renew_session(self) -> None:
        """A session older than 90 minutes is renewed before the request, outside the samples."""
        self.refuse_without_lease()
        if self.session.is_old():
            self.session = self.team.sessions.renew(self.number, self.client)
            self.intended_ns = time.perf_counter_ns()

    def _sample(
        self, scenario: str, call: Call, stage: Stage, result: Result, *, started_ns: int, ended_ns: int
    ) -> Sample:
        clock = self.team.measuring.clock
        return Sample(
            intended_start=clock.wall_ns(self.intended_ns),
            start=clock.wall_ns(started_ns),
            latency_us=(ended_ns - self.intended_ns) // 1000,
            ttfb_us=result.ttfb_us,
            scenario=scenario,
            endpoint=call.endpoint,
            iteration=self.iteration,
            phase=stage.phase,
            stage=stage.name,
            outcome=result.outcome,
            error=result.error,
            status=result.status,
            bytes=result.size,
            cache_hit=None,  # the target says nothing of its cache in an answer
            worker=self.team.plan.worker,
            user=self.number,
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
            HEADER_RUN_ID: self.team.plan.run_id,
            HEADER_PHASE: "load",
            **PLAIN_BODIES,
            "traceparent": self._trace_parent(),
            **call.headers,
        }
        headers.update(self.session.headers(call.token))
        return headers

    def _trace_parent(self) -> str:
        """W3C trace context: a trace for each iteration, which its samples lead to, and a span for each request."""
        return f"00-{trace_id(self.team.plan.run_id, self.number, self.iteration)}-{os.urandom(8).hex()}-01"
