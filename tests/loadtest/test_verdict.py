"""Which verdict outranks which."""

import pytest

from include.loadtest.reasons import REASON_CODES
from include.loadtest.verdict import (
    Reason,
    SloResult,
    Verdict,
    decide,
    slo_reasons,
    verdict_document,
    verdict_mark,
    worst,
)

pytestmark = pytest.mark.unit


def reason(code: str) -> Reason:
    return Reason(code, "text")


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([], "PASS"),
        (["warm_up_unsettled"], "PASS"),
        (["slo_near"], "WARN"),
        (["slo_warning", "slo_missed"], "SLA_BREACH"),
        (["too_few_samples", "slo_near"], "INCONCLUSIVE"),
        (["source_missing", "slo_missed"], "SLA_BREACH"),
        (["generator_died", "slo_missed"], "INCONCLUSIVE"),
        (["rate_limiter", "slo_missed"], "INCONCLUSIVE"),
        (["operator", "generator_died", "slo_missed"], "ABORTED"),
    ],
)
def test_the_highest_ranking_reason_decides(codes: list[str], verdict: str) -> None:
    """Untrustworthy samples outrank a breach; a breach outranks a missing source."""
    assert decide([reason(code) for code in codes]) == verdict


def test_a_suite_takes_the_worst_of_its_runs() -> None:
    """ABORTED, SLA_BREACH, REGRESSION, INCONCLUSIVE, WARN, PASS."""
    order = [Verdict(name) for name in ("ABORTED", "SLA_BREACH", "REGRESSION", "INCONCLUSIVE", "WARN", "PASS")]
    for index, verdict in enumerate(order):
        assert worst(reversed(order[index:])) == verdict
    with pytest.raises(ValueError, match="empty"):
        worst([])


def slo(**changes) -> SloResult:
    values = {
        "metric": "latency_p95_ms", "scope": "all", "phase": "hold", "level": "critical", "required": True,
        "comparator": "<", "observed": 100.0, "n": 50, "ci_low": 90.0, "ci_high": 110.0, "limit": 3000.0, "unit": "ms",
        "outcome": "met", "close": False,
    }  # fmt: skip
    return SloResult(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"outcome": "near"}, "slo_near"),
        ({"outcome": "missed"}, "slo_missed"),
        ({"outcome": "missed", "level": "warning"}, "slo_warning"),
        ({"outcome": "not_judged", "observed": None}, "too_few_samples"),
        ({"outcome": "not_judged", "observed": None, "required": False}, None),
        ({"outcome": "not_judged", "observed": None, "n": 0, "metric": "cache_hit_rate"}, "source_missing"),
    ],
)
def test_a_judged_limit_gives_its_reason(changes, code) -> None:
    """A limit that could not be judged is a reason only where it is required."""
    assert [found.code for found in slo_reasons([slo(**changes)])] == ([code] if code else [])


@pytest.mark.parametrize(
    ("changes", "bounds", "said"),
    [
        ({"outcome": "missed", "observed": 12_004.0, "limit": 8000.0}, False, "12,004 ms, limit < 8,000 ms, n="),
        ({"outcome": "missed", "observed": 12_004.0, "limit": 8000.0}, True, "≥ 12,004 ms, limit < 8,000 ms, n="),
        ({"outcome": "missed", "observed": 0.0369, "limit": 0.01, "unit": "ratio"}, False, "3.69 %, limit < 1 %, n="),
    ],
)
def test_a_reason_says_figures_as_people_read_them(changes, bounds, said) -> None:
    """Ratios as per cent, thousands apart, and a percentile that fell on an unanswered request as a lower bound."""
    one = slo(**changes)
    (found,) = slo_reasons([one], {(one.metric, one.scope, one.phase)} if bounds else ())
    assert f"in hold: {said}" in found.text


def test_verdicts_that_say_nothing_of_the_product_have_no_red_mark() -> None:
    """They are told apart before the word is read."""
    assert len({verdict_mark(word) for word in ("PASS", "WARN", "SLA_BREACH", "ABORTED", "INCONCLUSIVE")}) == 5
    assert verdict_mark("SLA_BREACH") == verdict_mark("REGRESSION")


def test_the_document_puts_deciding_reasons_first() -> None:
    """A reader sees why before what else."""
    reasons = [reason("warm_up_unsettled"), reason("slo_near"), reason("slo_missed")]
    document = verdict_document(run_id="r", suite=None, profile="p", engine="locust", reasons=reasons, slos=[slo()])
    assert [found["code"] for found in document["reasons"]] == ["slo_missed", "slo_near", "warm_up_unsettled"]
    assert document["verdict"] == "SLA_BREACH"
    assert set(document) == {"schema", "run_id", "suite", "profile", "engine", "verdict", "reasons", "slos"}


def test_every_reason_says_what_to_do() -> None:
    """No reason code without its trigger and its repair."""
    assert all(code.trigger and code.action for code in REASON_CODES.values())
