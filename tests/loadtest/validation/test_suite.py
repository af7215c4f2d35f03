"""The suite as great-expectations judges it. The only tests that import it: the import takes seconds."""

import json
import os
from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.profile import Slo, find_profile, load_profile
from include.loadtest.validation.suite import validate
from include.loadtest.verdict import slo_reasons

pytestmark = pytest.mark.unit

P95 = Slo(metric="latency_p95_ms", comparator="<", limit=3000)
P99 = Slo(metric="latency_p99_ms", comparator="<=", limit=5000)
RPM = Slo(metric="throughput_rpm", comparator=">", limit=1000)
HITS = Slo(metric="cache_hit_rate", comparator=">=", limit=0.7)


@pytest.mark.parametrize(
    "case",
    [
        (P95, 2699.999, "met"),
        (P95, 2700.0, "near"),
        (P95, 2999.999, "near"),
        (P95, 3000.0, "missed"),
        (P99, 5000.0, "near"),
        (P99, 5000.001, "missed"),
        (RPM, 1100.001, "met"),
        (RPM, 1100.0, "near"),
        (RPM, 1000.0, "missed"),
        (RPM, 0.0, "missed"),
        (HITS, 0.77, "near"),
        (HITS, 0.7701, "met"),
        (HITS, 0.7, "near"),
        (HITS, 0.6999, "missed"),
        (P95, None, "not_judged"),
        (RPM, None, "not_judged"),
    ],
)
def test_limits_are_exact(case: tuple[Slo, float | None, str], with_metrics: Any, profile_with: Any, row: Any) -> None:
    """On the limit, on the margin, a hair beside them, and unknown."""
    slo, value, outcome = case
    results, _ = validate(with_metrics(row(slo.metric, value)), profile_with(slo), shares_host=False)
    assert [result.outcome for result in results] == [outcome]
    assert results[0].observed == value


def test_a_warning_limit_has_no_near(with_metrics: Any, profile_with: Any, row: Any) -> None:
    """It is met up to the limit; the same figure may have a critical limit beside it, judged for itself."""
    warning = Slo(metric="latency_p95_ms", comparator="<", limit=2000, level="warning")
    results, document = validate(
        with_metrics(row("latency_p95_ms", 1999.0)), profile_with(warning, P95), shares_host=False
    )
    assert [(result.level, result.outcome) for result in results] == [("warning", "met"), ("critical", "met")]
    results, _ = validate(with_metrics(row("latency_p95_ms", 2800.0)), profile_with(warning, P95), shares_host=False)
    assert [(result.level, result.outcome) for result in results] == [("warning", "missed"), ("critical", "near")]
    severities = {(entry["check"], entry["severity"]) for entry in document["results"]}
    assert severities == {
        ("samples", "critical"),
        ("not_null", "critical"),
        ("not_null", "warning"),
        ("limit", "critical"),
        ("limit", "warning"),
        ("margin", "warning"),
    }


def test_without_a_request_nothing_is_met(with_metrics: Any, profile_with: Any, row: Any) -> None:
    """Not even a limit whose figure comes from elsewhere and is fine."""
    bundle = with_metrics(row("cache_hit_rate", 0.99), row("latency_p95_ms", None, 0), samples=0)
    results, document = validate(bundle, profile_with(P95, HITS), shares_host=False)
    assert [result.outcome for result in results] == ["not_judged", "not_judged"]
    assert [entry["success"] for entry in document["results"] if entry["check"] == "samples"] == [False]


def test_few_rows_are_judged_by_what_they_prove(with_metrics: Any, profile_with: Any, row: Any) -> None:
    """`observed` is then the figure that decided."""
    for more, outcome, observed in (
        ({"max": 1000.0, "low_95": 10.0}, "met", 1000.0),
        ({"max": 2800.0, "low_95": 10.0}, "near", 2800.0),
        ({"max": 9000.0, "low_95": 3500.0}, "missed", 3500.0),
        ({"max": 9000.0, "low_95": 10.0}, "not_judged", None),
    ):
        bundle = with_metrics(row("latency_p95_ms", None, 7, **more))
        results, _ = validate(bundle, profile_with(P95), shares_host=False)
        assert (results[0].outcome, results[0].observed, results[0].n) == (outcome, observed, 7)


def test_a_shared_host_is_shown_and_not_judged(with_metrics: Any, profile_with: Any, row: Any) -> None:
    """Its limits are not required either."""
    cpu = Slo(metric="host_cpu_pct", comparator="<=", limit=80)
    bundle = with_metrics(row("host_cpu_pct", 99.0))
    for shares_host, expected in ((True, ("not_judged", False)), (False, ("missed", True))):
        results, _ = validate(bundle, profile_with(cpu), shares_host=shares_host)
        assert (results[0].outcome, results[0].required) == expected
        assert results[0].observed == 99.0


def test_the_document_holds_the_suite_and_its_results(with_metrics: Any, row: Any) -> None:
    """A committed profile: every limit stands in the suite with its kwargs; the file is what was returned."""
    profile = load_profile(find_profile("peak_hours"))
    bundle = with_metrics(row("latency_p95_ms", 1000.0, ci_low=900.0, ci_high=1100.0))
    results, document = validate(bundle, profile, shares_host=False)
    assert bundle.read(run.VALIDATION) == json.loads(json.dumps(document))
    assert document["schema"] == 1
    assert document["suite"]["name"] == "sla_peak_hours"
    assert len(document["suite"]["expectations"]) == len(document["results"])
    assert {result.outcome for result in results} == {"met", "not_judged"}
    limits = {
        (entry["meta"]["slo"], entry["kwargs"].get("max_value", entry["kwargs"].get("min_value")))
        for entry in document["suite"]["expectations"]
        if entry["meta"]["check"] == "limit"
    }
    assert limits == {(slo.key, slo.limit) for slo in profile.slos}
    met = next(
        entry
        for entry in document["results"]
        if entry["slo"] == "latency_p95_ms|all|hold" and entry["check"] == "limit"
    )
    assert met == {
        "slo": "latency_p95_ms|all|hold",
        "check": "limit",
        "type": "expect_column_max_to_be_between",
        "severity": "critical",
        "success": True,
        "observed": 1000.0,
    }
    assert document["slos"][0]["ci_low"] == 900.0


def test_a_profile_without_limits_has_an_empty_suite(with_metrics: Any, profile_with: Any) -> None:
    """Nothing is judged, and that is no error here."""
    results, document = validate(with_metrics(), profile_with(), shares_host=False)
    assert (results, document["results"], document["suite"]["expectations"]) == ([], [], [])


def test_nothing_is_left_behind_and_nobody_is_told(
    with_metrics: Any, profile_with: Any, row: Any, monkeypatch: Any, capfd: Any
) -> None:
    """No project folder, no progress bar, no usage analytics."""
    bundle = with_metrics(row("latency_p95_ms", 1.0))
    empty = bundle.path.parent / "cwd"
    empty.mkdir()
    monkeypatch.chdir(empty)
    validate(bundle, profile_with(P95), shares_host=False)
    assert list(empty.iterdir()) == []
    assert sorted(path.name for path in bundle.path.iterdir()) == ["metrics.json", "validation.json"]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert "Calculating Metrics" not in "".join(capfd.readouterr())


def test_a_failed_requirement_is_missed_and_the_document_holds_no_infinity(
    with_metrics: Any, profile_with: Any, row: Any
) -> None:
    """JSON has none; what is not exposed beside it is not judged."""
    export = Slo(metric="gdpr_export_s", comparator="<", limit=60)
    audit = Slo(metric="audit_query_s", comparator="<", limit=5)
    bundle = with_metrics(
        row("gdpr_export_s", None, 1, failed=1, not_exposed=None),
        row("audit_query_s", None, 0, failed=0, not_exposed="GET /x: HTTP 404"),
    )
    results, document = validate(bundle, profile_with(export, audit), shares_host=False)
    assert [(one.outcome, one.observed, one.required) for one in results] == [
        ("missed", None, True),
        ("not_judged", None, False),
    ]
    limit = next(one for one in document["results"] if (one["slo"], one["check"]) == (export.key, "limit"))
    assert (limit["success"], limit["observed"]) == (False, None)
    assert "failed" in slo_reasons(results)[0].text
