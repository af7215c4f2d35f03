"""From judged limits and other reasons to the verdict."""

import subprocess
import sys
from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.profile import Slo
from include.loadtest.validation.conclusion import amend, conclude
from include.loadtest.verdict import Reason, SloResult

pytestmark = pytest.mark.unit

P95 = Slo(metric="latency_p95_ms", comparator="<", limit=3000)


def result(outcome: str, n: int = 1000) -> SloResult:
    return SloResult(
        "latency_p95_ms", "all", "hold", "critical", True, "<", 2000.0, n, None, None, 3000.0, "ms", outcome, False
    )  # type: ignore[arg-type]


def codes(document: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in document["reasons"]]


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [("met", "PASS"), ("near", "WARN"), ("missed", "SLA_BREACH"), ("not_judged", "INCONCLUSIVE")],
)
def test_the_outcome_of_a_limit_becomes_the_verdict(
    outcome: str, verdict: str, with_metrics: Any, profile_with: Any
) -> None:
    """And the file says what was returned."""
    bundle = with_metrics()
    document = conclude(bundle, profile_with(P95), [result(outcome)], [])
    assert document["verdict"] == verdict
    assert bundle.read(run.VERDICT)["verdict"] == verdict
    assert document["slos"][0]["outcome"] == outcome


def test_a_percentile_that_fell_on_an_unanswered_request_is_said_as_a_bound(
    with_metrics: Any, profile_with: Any
) -> None:
    """Nobody knows how long that request would have taken."""
    bundle = with_metrics()
    metrics = bundle.read(run.METRICS)
    bound = {"metric": "latency_p95_ms", "scope": "all", "phase": "hold", "value": 2000.0, "n": 9, "lower_bound": True}
    bundle.write(run.METRICS, metrics | {"metrics": [*metrics["metrics"], bound]})
    document = conclude(bundle, profile_with(P95), [result("missed")], [])
    assert document["reasons"][0]["text"] == "latency_p95_ms of all in hold: ≥ 2,000 ms, limit < 3,000 ms, n=1000"


def test_other_reasons_count(with_metrics: Any, profile_with: Any) -> None:
    """Untrusted samples outrank a breach, and a note decides nothing."""
    reasons = [Reason("rate_limiter", "refused"), Reason("warm_up_unsettled", "x")]
    document = conclude(with_metrics(), profile_with(P95), [result("missed")], reasons)
    assert (document["verdict"], codes(document)) == (
        "INCONCLUSIVE",
        ["rate_limiter", "slo_missed", "warm_up_unsettled"],
    )


def test_no_request_is_one_reason_not_one_for_each_limit(with_metrics: Any, profile_with: Any) -> None:
    """The limits stay in the table as not judged."""
    document = conclude(with_metrics(samples=0), profile_with(P95), [result("not_judged", 0)] * 3, [])
    assert (document["verdict"], codes(document)) == ("INCONCLUSIVE", ["no_samples"])
    assert len(document["slos"]) == 3


def test_no_limits_is_never_a_pass(with_metrics: Any, profile_with: Any) -> None:
    """A run above the tables measures only."""
    document = conclude(with_metrics(), profile_with(), [], [])
    assert (document["verdict"], codes(document)) == ("INCONCLUSIVE", ["no_limits"])


def test_limits_that_nobody_judged_are_never_a_pass(bundle: Any, with_metrics: Any, profile_with: Any) -> None:
    """Without metrics, and with metrics but without a judgement."""
    assert codes(conclude(bundle, profile_with(P95), [], [])) == ["no_samples"]
    document = conclude(with_metrics(), profile_with(P95), [], [Reason("warm_up_unsettled", "x")])
    assert (document["verdict"], codes(document)) == ("INCONCLUSIVE", ["stage_failed", "warm_up_unsettled"])


def test_a_named_cause_is_not_doubled(bundle: Any, profile_with: Any) -> None:
    """A target that did not answer explains why nothing was measured."""
    document = conclude(bundle, profile_with(P95), [], [Reason("target_unreachable", "no answer")])
    assert codes(document) == ["target_unreachable"]


def test_the_suite_of_the_manifest_is_named(with_metrics: Any, profile_with: Any) -> None:
    """A run outside a suite has null there."""
    bundle = with_metrics()
    assert conclude(bundle, profile_with(P95), [result("met")], [])["suite"] is None
    bundle.update_manifest(suite="weekly")
    assert conclude(bundle, profile_with(P95), [result("met")], [])["suite"] == "weekly"


def test_concluding_needs_no_great_expectations() -> None:
    """Its import takes seconds and may be what failed."""
    code = (
        "import sys; import include.loadtest.validation.conclusion, include.loadtest.validation.suite\n"
        "assert not {'great_expectations', 'pandas', 'duckdb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_verdict_is_decided_anew_when_reasons_come_later(bundle: Any, with_metrics: Any, profile_with: Any) -> None:
    """A regression outranks a warning, takes the place of its suspicion, and is not added twice."""
    conclude(with_metrics(), profile_with(P95), [result("near")], [])
    before = bundle.read(run.VERDICT)
    suspected = amend(bundle, [Reason("regression_suspected", "perhaps slower")])
    assert suspected["verdict"] == before["verdict"]
    for _ in range(2):
        document = amend(bundle, [Reason("regression", "slower")], without={"regression_suspected"})
    assert document["verdict"] == "REGRESSION"
    assert [reason["code"] for reason in document["reasons"]] == ["regression", "slo_near"]
    assert bundle.read(run.VERDICT) == document
