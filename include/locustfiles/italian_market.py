"""The requirements of the Italian market, as Locust checks them: one user tries one after the other.

Once it calls a crowd, which uploads documents with it at the same moment. The load ends when all is checked.
"""

import logging
import time
from typing import Any

from locust import LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopUser

from include.loadtest.profile.vocabulary import DOCUMENTS_AT_ONCE, SCENARIOS
from include.loadtest.scenarios.documents import DOCUMENT_KINDS, document
from include.locustfiles.check_calls import Calls, CheckCalls, uploads_of
from include.locustfiles.checking import Checker, Notes
from include.locustfiles.crowd import Crowd
from include.locustfiles.data_subject import DataSubject
from include.locustfiles.lifecycle import Lifecycle
from include.locustfiles.measured_user import MeasuredUser, Team
from include.locustfiles.new_document import check_new_document
from include.locustfiles.plan import read_plan
from include.locustfiles.registry import next_call_of

PLAN = read_plan()
TEAM = Team(PLAN)
MEASURING = TEAM.measuring
CHECKS = PLAN.checks
UPLOADS = uploads_of(CHECKS)
CROWD = Crowd(CHECKS.users)
LOG = logging.getLogger("loadtest.generator")
FIRST = ("simple_calculation", "complex_calculation", "bulk_calculation", "small_document", "medium_document",
         "large_document", "simple_search", "complex_search", "full_text_search")  # fmt: skip


def say(text: str) -> None:
    """A line for people who wait."""
    print(f"progress: {text}", flush=True)


NOTES = Notes(PLAN.bundle, say)


class ItalianUser(MeasuredUser):
    """The user who checks all, or one of its crowd."""

    host = PLAN.base_url
    team = TEAM

    @task
    def work(self) -> None:
        """All of it, once. An error of these checks' own ends the load: Locust would begin all of it again."""
        try:
            checker = Checker(self, CHECKS, NOTES)
            if self.number == PLAN.user_numbers[0]:
                self._check_all(checker)
            else:
                CROWD.join(checker, UPLOADS["small"])
        except StopUser:
            raise
        except Exception as error:
            LOG.exception("the checks broke off")
            MEASURING.stopping.scenario_failed("italian_market", type(error).__name__, str(error))
            raise StopUser from error
        raise StopUser

    def _check_all(self, checker: Checker) -> None:
        calls = CheckCalls(CHECKS, self.scenario_context, PLAN.check_paths, UPLOADS)
        for name in SCENARIOS:
            checker.scenario(name, next_call_of(name))
        for name in FIRST:
            checker.check(name, calls.of(name), calls.figures.setdefault(name, {}))
        check_new_document(checker, PLAN.check_paths.get("document_search"), CHECKS.poll_s)
        self._upload_at_once(checker)
        self.play(PLAN.user_numbers[-1])
        subject = DataSubject(checker, CHECKS.poll_s)
        subject.run()
        checker.check("audit_query", self._audit(calls, subject))
        checker.check("compliance_report", calls.report(), calls.figures.setdefault("compliance_report", {}))
        CheckShape.done_ns = time.perf_counter_ns()

    def _audit(self, calls: CheckCalls, subject: DataSubject) -> Calls | str:
        """A query that has to find what was done for GDPR just before."""
        query = calls.audit(self.session.user_id, subject.client)
        if isinstance(query, str) or subject.has_acted:
            return query
        return "no GDPR request was answered, so no event of this run can be looked for in the audit log"

    def _upload_at_once(self, checker: Checker) -> None:
        CROWD.is_called = True
        joined = CROWD.join(checker, UPLOADS["small"])
        if joined is None:
            say(f"{DOCUMENTS_AT_ONCE}: the {CROWD.size} users did not come together")
            return
        MEASURING.max_users = max(MEASURING.max_users, CROWD.size)
        if not checker.refused(DOCUMENTS_AT_ONCE, *joined):
            read_back = CROWD.read_back
            not_read = "" if read_back is None else f", not read back: {read_back}"
            NOTES.checked(DOCUMENTS_AT_ONCE, f"{CROWD.size} uploads{not_read}", read_back=read_back)


class CheckShape(LoadTestShape):
    """One user, and all of them once the crowd is called; ends with the last check, or where somebody asks for it."""

    stopping = False
    done_ns: int | None = None

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now and how many may start a second; None ends the load."""
        clock, now = MEASURING.clock, time.perf_counter_ns()
        stop = MEASURING.stopping.decide(clock.offset_s(now))
        if stop is None and clock.load_started_ns is None:
            clock.load_started_ns = now
            MEASURING.write_state(started_ns=clock.wall_ns(now), completed=False)
        is_over = self.done_ns is not None or clock.offset_s(now) >= PLAN.profile.load_s
        if is_over or self.stopping or stop is not None:
            return None
        return (CROWD.size, float(CROWD.size)) if CROWD.is_called else (1, 1.0)


def stop() -> None:
    """End the load at the shape's next tick."""
    CheckShape.stopping = True


def progress(_users: int) -> str | None:
    """A line for people who wait."""
    line = NOTES.progress()
    return None if line is None else f"progress: {line}"


LIFE = Lifecycle(MEASURING, stop, progress, dict)


@events.init.add_listener  # type: ignore[untyped-decorator]
def start_measuring(environment: Environment, **_: Any) -> None:
    """Prepare what the first requests need, and start the loops beside the users."""
    for kind in DOCUMENT_KINDS:
        document(kind)
    LIFE.start(environment)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def finish_measuring(environment: Environment, **_: Any) -> None:
    """Close the open part and say how the load ended: it was over with the last check."""
    completed = CheckShape.done_ns is not None and MEASURING.stopping.stop is None
    LIFE.finish(environment, completed=completed, ended_ns=CheckShape.done_ns)
