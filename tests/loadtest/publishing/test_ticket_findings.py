"""Which findings a run files, how they are grouped, and what a green run shows of the problems of others."""

import json
import math
from typing import Any

import pytest

from include.loadtest.history.tickets import Problem
from include.loadtest.publishing.ticket_findings import (
    CHANGES,
    RESTART,
    STOP_RULES,
    capped,
    family,
    findings_of,
    groups_of,
    is_disproved,
    shown_by,
    what_kind,
)
from include.loadtest.reporting.markdown import NOT_MEASURED
from include.loadtest.verdict import Reason
from tests.helpers.ticket_runs import PROFILE, TARGET, change, comparison, diagnosis, slo, verdict

pytestmark = pytest.mark.unit


def problem(metric: str, scope: str = "all", direction: str = "lower") -> Problem:
    return Problem(PROFILE, TARGET, scope, metric, direction)


def metrics_of(document: dict[str, Any], compared: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    found = findings_of(document, None, compared, TARGET)
    return [(one.problem.metric, one.problem.scope) for one in found]


def test_missed_critical_limits_are_findings_the_worst_first() -> None:
    """By how many times the limit; what is met, near, unjudged or only a warning is none."""
    slos = [
        slo("latency_p95_ms", factor=1.2),
        slo("error_rate", factor=6),
        slo("throughput_rpm", factor=2),
        slo("latency_p95_ms", "scenario:simple_query", "near"),
        slo("latency_p95_ms", "scenario:complex_query", "met"),
    ]
    assert metrics_of(verdict(slos)) == [("error_rate", "all"), ("throughput_rpm", "all"), ("latency_p95_ms", "all")]


def test_the_direction_is_the_metrics_own() -> None:
    """A throughput that is too low and a latency that is too high are told apart in the fingerprint."""
    found = findings_of(verdict([slo("throughput_rpm"), slo("latency_p95_ms")]), None, None, TARGET)
    assert {one.problem.metric: one.problem.direction for one in found} == {
        "throughput_rpm": "higher",
        "latency_p95_ms": "lower",
    }


def test_a_fingerprint_is_the_same_in_every_run_and_another_for_each_part() -> None:
    """Twelve hex digits of profile, target, scope, metric and direction."""
    assert problem("error_rate").fingerprint == problem("error_rate").fingerprint == "1f9186e2c03e"
    others = {
        Problem("smoke", TARGET, "all", "error_rate", "lower").fingerprint,
        Problem(PROFILE, "other", "all", "error_rate", "lower").fingerprint,
        problem("error_rate", "scenario:x").fingerprint,
        problem("latency_p95_ms").fingerprint,
        problem("error_rate", direction="higher").fingerprint,
    }
    assert len(others | {"1f9186e2c03e"}) == 6


def test_a_point_value_of_the_metrics_is_shown_else_the_bound() -> None:
    """As in the report: a value that is a lower bound has ≥; without one the bound that judged the limit has."""
    document = verdict([slo("latency_p95_ms")])
    row = {"metric": "latency_p95_ms", "scope": "all", "phase": "hold", "value": 6500.0, "unit": "ms"}
    (with_row,) = findings_of(document, {"metrics": [row | {"lower_bound": True}]}, comparison("OK"), TARGET)
    (without,) = findings_of(document, None, None, TARGET)
    assert (with_row.measured, with_row.before) == ("≥ 6,500 ms", "2,100 ms")
    assert (without.measured, without.bound, without.before) == ("≥ 6,000 ms", "< 4,000 ms", NOT_MEASURED)
    assert (without.interval, without.n) == ("5,400 ms – 6,600 ms", "5,000")


def test_a_limit_that_failed_without_a_figure_says_so_and_is_the_worst() -> None:
    """No number is invented for it."""
    failed = slo("latency_p95_ms", factor=1.1)
    document = verdict([slo("error_rate", factor=50), failed])
    document["slos"][1] |= {"observed": None, "ci_low": None, "ci_high": None, "n": 0}
    first = findings_of(document, None, None, TARGET)[0]
    assert (first.problem.metric, first.measured, first.interval) == ("latency_p95_ms", NOT_MEASURED, NOT_MEASURED)
    assert first.severity == math.inf


@pytest.mark.parametrize("code", ["operator", "cost_cap"])
def test_a_run_that_a_person_or_the_costs_ended_files_nothing(code: str) -> None:
    """Also with limits missed until then: the load was no whole one."""
    assert metrics_of(verdict([slo("latency_p95_ms")], Reason(code, "ended"))) == []


@pytest.mark.parametrize("code", STOP_RULES)
def test_an_aborted_run_files_its_stop_rule_alone(code: str) -> None:
    """The rule stands for the metric."""
    assert metrics_of(verdict([slo("latency_p95_ms")], Reason(code, "stopped"))) == [(code, "all")]


def test_an_inconclusive_run_and_a_green_one_file_nothing() -> None:
    """What cannot be trusted proves nothing, though a limit was missed."""
    assert metrics_of(verdict([slo("latency_p95_ms")], Reason("generator_starved", "held back"))) == []
    assert metrics_of(verdict([slo("latency_p95_ms", outcome="near")])) == []


def test_a_restart_of_the_target_is_a_finding() -> None:
    """It has no figure; its text says it."""
    document = verdict([slo("error_rate")], Reason("target_restarted", "the process started anew"))
    assert metrics_of(document) == [(RESTART, "all"), ("error_rate", "all")]


def test_a_regression_is_what_decided_and_what_got_slower_beside_it() -> None:
    """Not what got better, nor what changed by less than is relevant."""
    worst = change("endpoint:chat", 0.2)
    beside = change("endpoint:tax", 0.4, "latency_tail_ms")
    compared = comparison("REGRESSION", worst, beside, change("endpoint:a", -0.3), change("endpoint:b", 0.05))
    reason = Reason("regression", "chat: body +20 %", "latency_body_ms", "endpoint:chat", 0.2, 0.1, "ratio")
    document = verdict([slo("latency_p95_ms", outcome="met")], reason)
    assert metrics_of(document, compared) == [("latency_body_ms", "endpoint:chat"), ("latency_tail_ms", "endpoint:tax")]
    assert {one for one, _ in metrics_of(document, compared)} <= CHANGES


def test_a_suspicion_files_nothing() -> None:
    """Until repeats have decided."""
    compared = comparison("SUSPECTED", change("endpoint:chat", 0.2))
    document = verdict([slo("latency_p95_ms", outcome="met")], Reason("regression_suspected", "perhaps"))
    assert metrics_of(document, compared) == []


def test_one_cause_is_one_group_else_each_family_has_its_own() -> None:
    """Thirty scopes that are slow for one reason are one problem."""
    slos = [slo("latency_p95_ms", f"scenario:s{number}") for number in range(30)]
    found = findings_of(verdict([*slos, slo("error_rate", factor=3)]), None, None, TARGET)
    (together,) = groups_of(found, diagnosis())
    assert len(together) == 31
    assert [len(group) for group in groups_of(found, None)] == [1, 30]
    assert [len(group) for group in groups_of(found, {"state": "not_known", "causes": []})] == [1, 30]
    assert groups_of([], diagnosis()) == []


def test_more_groups_than_the_cap_are_told_in_the_last() -> None:
    """Nothing is left out."""
    found = findings_of(
        verdict([slo("error_rate", factor=9), slo("throughput_rpm", factor=5), slo("latency_p95_ms")]),
        None,
        None,
        TARGET,
    )
    groups = groups_of(found, None)
    assert [[one.problem.metric for one in group] for group in capped(groups, 2)] == [
        ["error_rate"],
        ["throughput_rpm", "latency_p95_ms"],
    ]
    assert capped(groups, 3) == groups


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("latency_p99_ms", "latency"),
        ("ttft_p95_ms", "latency"),
        ("gdpr_export_s", "latency"),
        ("recovery_time_s", "latency"),
        ("auto_stop_latency", "latency"),
        ("auto_stop_errors", "errors"),
        ("ungraceful_error_rate", "errors"),
        ("target_restarted", "errors"),
        ("documents_lost", "errors"),
        ("throughput_worst_minute_rpm", "throughput"),
        ("documents_at_once", "throughput"),
        ("postgres_connections", "resources"),
        ("cache_hit_rate", "resources"),
    ],
)
def test_a_metrics_family(metric: str, expected: str) -> None:
    """Each metric belongs to one."""
    assert family(metric) == expected


def test_what_kind_of_problem_it_is_is_seen_from_its_metric() -> None:
    """So that a ticket of any age can be told of in words."""
    names = ("auto_stop_errors", RESTART, "latency_body_ms", "latency_p95_ms")
    assert [what_kind(problem(name)) for name in names] == ["stop", "restart", "change", "limit"]


def test_a_green_run_shows_what_it_has_judged() -> None:
    """A limit that was not judged is unknown; stop rules and restarts did not happen."""
    slos = [slo("latency_p95_ms", outcome="met"), slo("error_rate", outcome="near")]
    unjudged = slo("throughput_rpm", outcome="not_judged")
    document = verdict(slos)
    document["slos"].append(json.loads(json.dumps(vars(unjudged))))
    shown = shown_by(document, None, TARGET)
    expected = {problem(name) for name in ("latency_p95_ms", "error_rate", *STOP_RULES, RESTART)}
    assert shown.fine == {one.fingerprint for one in expected}
    assert shown.unknown == {problem("throughput_rpm", direction="higher").fingerprint}


@pytest.mark.parametrize(
    ("word", "is_fine"),
    [("OK", True), ("IMPROVEMENT", True), ("SUSPECTED", False), ("NOT_ENOUGH_RUNS", False), ("HOST_NOISE", False)],
)
def test_only_a_change_test_that_has_decided_shows_that_nothing_got_slower(word: str, is_fine: bool) -> None:
    """Too few runs, a slow host or an open suspicion say nothing."""
    compared = comparison(word, change("endpoint:chat", 0.01))
    shown = shown_by(verdict([slo("latency_p95_ms", outcome="met")]), compared, TARGET)
    assert (problem("latency_body_ms", "endpoint:chat").fingerprint in shown.fine) is is_fine


def test_a_red_run_shows_nothing_of_others() -> None:
    """Another limit is missed: whether the first problem is gone is not asked."""
    shown = shown_by(verdict([slo("latency_p95_ms"), slo("error_rate", outcome="met")]), None, TARGET)
    assert (shown.fine, shown.unknown) == (frozenset(), frozenset())


def test_a_disproved_suspicion_is_seen_in_the_reasons() -> None:
    """The note that the confirming stage leaves."""
    slos = [slo("latency_p95_ms", outcome="met")]
    assert is_disproved(verdict(slos, Reason("regression_disproved", "not seen again")))
    assert not is_disproved(verdict(slos))
