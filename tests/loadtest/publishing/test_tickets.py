"""Runs one after the other become few issues: one a cause, capped, none for what says nothing of the product."""

import pytest
from sqlalchemy import Engine, func, select, update

from include.loadtest.history import outbox
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import TICKET
from include.loadtest.profile.suites import load_suite, suite_names
from include.loadtest.profile.tickets import TicketRules
from include.loadtest.publishing.ticket_findings import STOP_RULES
from include.loadtest.verdict import Reason
from tests.helpers.ticket_runs import (
    BAD,
    GOOD,
    RULES,
    at_hour,
    bad,
    change,
    comparison,
    diagnosis,
    file,
    good,
    slo,
    verdict,
)

pytestmark = pytest.mark.integration
SCOPES = [slo("latency_p95_ms", f"scenario:s{number}", factor=1.1 + number / 100) for number in range(30)]
FAMILIES = [slo("error_rate", factor=9), slo("throughput_rpm", factor=5), slo("latency_p95_ms")]
REGRESSION = Reason("regression", "chat: body +20 %", "latency_body_ms", "endpoint:chat", 0.2, 0.1, "ratio")


def states(engine: Engine) -> list[tuple[str, str]]:
    """Metric and state of each ticket."""
    with transaction(engine) as connection:
        found = connection.execute(select(TICKET.c.metric, TICKET.c.state).order_by(TICKET.c.metric))
        return [(str(metric), str(state)) for metric, state in found]


def told(engine: Engine) -> list[tuple[str, str]]:
    """Run and kind of each delivery, in order."""
    return [(row.subject, row.payload["kind"]) for row in outbox.waiting(engine)]


def test_five_bad_and_three_good_runs_are_one_issue(engine: Engine) -> None:
    """One opening, four updates, one closing; the good runs before the last tell nothing."""
    lines = [bad(engine, f"r{number}") for number in range(5)] + [good(engine, f"r{number}") for number in range(5, 8)]
    assert told(engine) == [
        ("r0", "opened"),
        *((f"r{number}", "updated") for number in range(1, 5)),
        ("r7", "closed"),
    ]
    assert states(engine) == [("latency_p95_ms", "closed")]
    assert [len(one) for one in lines] == [1, 1, 1, 1, 1, 0, 0, 1]
    assert lines[0][0].endswith("(latency_p95_ms of all): a new issue")
    assert lines[-1][0].endswith("the issue is closed, the problem is gone")


def test_a_run_that_is_filed_twice_is_filed_once(engine: Engine) -> None:
    """The second time there is nothing to say."""
    assert len(bad(engine, "r0")) == 1
    assert bad(engine, "r0") == []
    assert told(engine) == [("r0", "opened")]


def test_a_suspicion_that_is_confirmed_later_is_filed_then(engine: Engine) -> None:
    """The first call saw a green run."""
    slos = [slo("latency_p95_ms", outcome="met")]
    suspected = verdict(slos, Reason("not_confirmed", "its repeats did not decide"))
    assert file(engine, "r0", suspected, compared=comparison("SUSPECTED", change("endpoint:chat", 0.2))) == []
    confirmed = comparison("REGRESSION", change("endpoint:chat", 0.2), repeats=("a", "b"))
    assert len(file(engine, "r0", verdict(slos, REGRESSION), compared=confirmed)) == 1
    assert states(engine) == [("latency_body_ms", "open")]


def test_a_disproved_suspicion_closes_regressions_and_nothing_else(engine: Engine) -> None:
    """At once; the missed limit waits for its clean runs."""
    slos = [slo("latency_p95_ms", outcome="met")]
    file(engine, "r0", verdict(slos, REGRESSION), compared=comparison("REGRESSION", change("endpoint:chat", 0.2)))
    bad(engine, "r1")
    assert states(engine) == [("latency_body_ms", "open"), ("latency_p95_ms", "open")]
    disproved = verdict(slos, Reason("regression_disproved", "not seen again"))
    compared = comparison("OK", change("endpoint:chat", 0.01), repeats=("a", "b"))
    (line,) = file(engine, "r2", disproved, compared=compared)
    assert line.endswith("the issue is closed, the repeats do not show it")
    assert states(engine) == [("latency_body_ms", "closed"), ("latency_p95_ms", "open")]
    assert file(engine, "r2", disproved, compared=compared) == []


def test_a_regression_is_not_closed_by_runs_that_were_not_compared(engine: Engine) -> None:
    """Too few runs since the baseline was given up prove nothing; three compared ones do."""
    slos = [slo("latency_p95_ms", outcome="met")]
    file(engine, "r0", verdict(slos, REGRESSION), compared=comparison("REGRESSION", change("endpoint:chat", 0.2)))
    for number in range(1, 6):
        file(engine, f"r{number}", verdict(slos), compared=comparison("NOT_ENOUGH_RUNS"))
    assert states(engine) == [("latency_body_ms", "open")]
    for number in range(6, 9):
        file(engine, f"r{number}", verdict(slos), compared=comparison("OK", change("endpoint:chat", 0.01)))
    assert states(engine) == [("latency_body_ms", "closed")]


def test_one_cause_is_one_issue_under_the_worst(engine: Engine) -> None:
    """Thirty scopes and the errors: one issue that lists them all; the next run's worst is another, the issue not."""
    file(engine, "r0", verdict([*SCOPES, slo("error_rate", factor=3)]), found=diagnosis())
    file(engine, "r1", verdict(SCOPES), found=diagnosis("slow_queries"))
    assert states(engine) == [("error_rate", "open")]
    (first, second) = outbox.waiting(engine)
    assert first.payload["title"].startswith("Performance Regression Detected: error rate of all requests")
    assert len(first.payload["figures"]) == 31
    assert second.payload["kind"] == "updated"


def test_more_problems_than_the_cap_are_told_in_the_last_issue(engine: Engine) -> None:
    """Two issues instead of three, nothing left out."""
    rules = TicketRules(**RULES.model_dump() | {"max_issues_a_run": 2})
    assert len(file(engine, "r0", verdict(FAMILIES), rules=rules)) == 2
    assert states(engine) == [("error_rate", "open"), ("throughput_rpm", "open")]
    assert [len(row.payload["figures"]) for row in outbox.waiting(engine)] == [1, 2]
    assert len(file(engine, "r1", verdict(FAMILIES))) == 2


def test_families_that_one_open_issue_stands_for_stay_one(engine: Engine) -> None:
    """The diagnosis of the second run found no cause; that is no reason for more issues."""
    file(engine, "r0", verdict(FAMILIES), found=diagnosis())
    assert len(file(engine, "r1", verdict(FAMILIES))) == 1
    assert states(engine) == [("error_rate", "open")]


@pytest.mark.parametrize("code", ["generator_starved", "operator", "cost_cap", "target_unreachable"])
def test_what_says_nothing_of_the_product_changes_nothing(engine: Engine, code: str) -> None:
    """Neither a new issue nor an update nor a clean run, with a ticket open or without."""
    slos = [slo("latency_p95_ms", outcome="met" if code == "target_unreachable" else "missed")]
    document = verdict(slos, Reason(code, "…"))
    assert file(engine, "r0", document) == []
    bad(engine, "r1")
    good(engine, "r2")
    for number in range(3, 8):
        assert file(engine, f"r{number}", document) == []
    good(engine, "r8")
    assert told(engine) == [("r1", "opened")]
    good(engine, "r9")
    assert told(engine)[-1] == ("r9", "closed")


def test_an_automatic_stop_has_its_rule_as_metric(engine: Engine) -> None:
    """And is closed by complete runs."""
    file(engine, "r0", verdict(list(BAD), Reason("auto_stop_errors", "95 of 100 requests failed")))
    assert states(engine) == [("auto_stop_errors", "open")]
    for number in range(1, 4):
        file(engine, f"r{number}", verdict(list(GOOD)))
    assert states(engine) == [("auto_stop_errors", "closed")]


def test_another_limit_that_is_missed_keeps_the_first_issue_open(engine: Engine) -> None:
    """A red run is no clean one, whatever it is red for."""
    bad(engine, "r0")
    good(engine, "r1")
    good(engine, "r2")
    file(engine, "r3", verdict([slo("latency_p95_ms", outcome="met"), slo("error_rate")]))
    assert states(engine) == [("error_rate", "open"), ("latency_p95_ms", "open")]


def test_a_run_that_is_bad_for_another_limit_neither_counts_nor_resets(engine: Engine) -> None:
    """The third good run closes the first issue; the other one is not closed by what came before it was opened."""
    bad(engine, "r0")
    good(engine, "r1")
    good(engine, "r2")
    other = verdict([slo("latency_p95_ms", outcome="met"), slo("error_rate")])
    file(engine, "r3", other)
    good(engine, "r4")
    assert states(engine) == [("error_rate", "open"), ("latency_p95_ms", "closed")]
    assert file(engine, "r3", other) == []
    good(engine, "r5")
    good(engine, "r6")
    assert states(engine) == [("error_rate", "closed"), ("latency_p95_ms", "closed")]


@pytest.mark.parametrize("code", STOP_RULES)
def test_a_stopped_run_makes_all_open_issues_count_anew(engine: Engine, code: str) -> None:
    """Clean, clean, stopped by a rule, clean: that are not three clean runs in a row, for none of the issues."""
    file(engine, "r0", verdict([slo("latency_p95_ms"), slo("error_rate")]))
    good(engine, "r1")
    good(engine, "r2")
    stopped = verdict([slo("latency_p95_ms", outcome="met")], Reason(code, "nearly all requests failed"))
    file(engine, "r3", stopped)
    good(engine, "r4")
    assert file(engine, "r3", stopped) == []
    good(engine, "r5")
    assert {state for _, state in states(engine)} == {"open"}
    good(engine, "r6")
    assert {state for _, state in states(engine)} == {"closed"}


def test_old_runs_that_are_published_again_close_nothing(engine: Engine) -> None:
    """They started before the problem was seen last; newer ones close."""
    bad(engine, "new", started=at_hour(9))
    for hour in (6, 7, 8):
        assert good(engine, f"old-{hour}", started=at_hour(hour)) == []
    assert bad(engine, "older", started=at_hour(5)) == []
    for hour in (10, 11, 12):
        good(engine, f"newer-{hour}", started=at_hour(hour))
    assert told(engine) == [("new", "opened"), ("newer-12", "closed")]


def test_back_after_the_window_only_runs_after_that_close_it(engine: Engine) -> None:
    """Those that were clean for the issue before are not counted for the new one."""
    bad(engine, "r0", started=at_hour(1))
    good(engine, "r1", started=at_hour(2))
    with transaction(engine) as connection:
        moment = func.now() - func.make_interval(0, 0, 0, RULES.reopen_within_days + 1)
        connection.execute(update(TICKET).values(state="closed", closed_at=moment))
    bad(engine, "r2", started=at_hour(3))
    good(engine, "r1", started=at_hour(2))
    good(engine, "r3", started=at_hour(4))
    good(engine, "r4", started=at_hour(5))
    assert states(engine) == [("latency_p95_ms", "open")]
    good(engine, "r5", started=at_hour(6))
    assert told(engine) == [("r0", "opened"), ("r2", "opened"), ("r5", "closed")]


def test_suites_that_file_change_nothing_of_a_profile_but_its_duration() -> None:
    """A fingerprint names a profile, not its numbers: under one name there is one number of users and one engine."""
    scheduled = [suite for suite in map(load_suite, suite_names()) if suite.schedule is not None]
    changed = {name for suite in scheduled for entry in suite.runs for name in entry.overrides.changed}
    assert len(scheduled) >= 3
    assert changed <= {"duration_s"}
