"""The Markdown summary: every figure with its n and limit, hostile text harmless."""

import pytest

from include.loadtest.reporting.report import build_report
from include.loadtest.reporting.summary import SHARED_HOST, resources_section, scenarios_section, summary_markdown
from tests.loadtest.reporting.conftest import ROW, SLO, judged, manifest_of

pytestmark = pytest.mark.unit


def test_limits_show_phase_observed_interval_n_limit_and_outcome(bundle) -> None:
    """An open end of an interval is shown as open, a lower bound as ≥."""
    text = summary_markdown(build_report(bundle))
    assert (
        "| latency_p95_ms | all | hold | critical | ≥ 4,100 ms | 3,900 ms – … | 100 | < 4,000 ms | ❌ missed (close) |"
        in text
    )
    assert "| all | 100 | not measured | ≥ 4,100 ms |" in text
    assert "- not measured: cache_hit_rate" in text


def test_a_growth_stands_among_the_targets_figures_with_its_interval(bundle) -> None:
    """Per hour, and how sure it is."""
    growth = {"metric": "target_memory_growth_pct_per_h", "value": 4.0, "unit": "%/h", "ci_low": 3.0, "ci_high": 5.5}
    bundle.write("metrics.json", {"schema": 1, "metrics": [ROW | growth | {"n": 120, "lower_bound": False}]})
    text = summary_markdown(build_report(bundle))
    assert "| target_memory_growth_pct_per_h | 4 %/h | 3 %/h – 5.5 %/h | 120 |" in text


def test_a_figure_of_too_few_requests_is_shown_as_a_bound(bundle) -> None:
    """Met by the slowest request: at most this; missed by the proved bound: at least this."""
    metrics = [ROW | {"metric": "latency_p95_ms", "value": None, "unit": "ms", "lower_bound": False, "n": 7}]
    bundle.write("metrics.json", {"schema": 1, "metrics": metrics})
    for outcome, sign in (("met", "≤"), ("missed", "≥")):
        bundle.write("verdict.json", {"verdict": "PASS", "reasons": [], "slos": [SLO | {"outcome": outcome}]})
        assert f"| {sign} 4,100 ms |" in summary_markdown(build_report(bundle))


def test_a_shared_hosts_limits_are_shown_not_judged(bundle) -> None:
    """Only where the target shares it: elsewhere a missing judgement is no more than that."""
    slo = SLO | {"metric": "host_cpu_pct", "unit": "%", "outcome": "not_judged", "close": False}
    bundle.write("verdict.json", {"verdict": "PASS", "reasons": [], "slos": [slo]})
    assert SHARED_HOST not in summary_markdown(build_report(bundle))
    bundle.update_manifest(target={"name": "demo", "shares_host": True})
    assert f"| {SHARED_HOST} |" in summary_markdown(build_report(bundle))


def test_a_first_token_is_shown_with_the_number_of_answers_that_had_one(bundle) -> None:
    """Fewer than all requests: only streamed answers have one."""
    first_token = {"metric": "ttft_p95_ms", "value": 812.0, "unit": "ms", "lower_bound": False, "n": 41}
    errors = ROW | {"metric": "error_rate", "value": 0.0, "unit": "ratio"}
    bundle.write("metrics.json", {"schema": 1, "metrics": [errors, ROW | first_token]})
    assert "| 812 ms (n=41) |" in summary_markdown(build_report(bundle))


def test_a_run_of_k6_says_that_the_first_token_was_not_measured(bundle) -> None:
    """Only there: elsewhere a missing figure is no more than that."""
    said = "First token: not measured by this engine"
    assert said not in summary_markdown(build_report(bundle))
    bundle.update_manifest(profile={"engine": "k6"})
    assert said in summary_markdown(build_report(bundle))


def test_the_meaning_comes_before_the_reasons_and_figures(bundle) -> None:
    """Its words whole, what limits them, and the figures that decided."""
    manifest = manifest_of("peak_hours", target="demo")
    bundle.update_manifest(**manifest)
    bundle.write("verdict.json", judged(manifest, "PASS", host_cpu_pct="not_judged"))
    text = summary_markdown(build_report(bundle))
    assert "PratikoAI carries the 50 concurrent users that the goal of 25,000 euro ARR" in text
    assert "upper end of the planned range" in text
    assert text.index("## What this means") < text.index("## Limits")
    assert "- The target was the stand-in demo" in text
    assert "Decided by:\n\n- latency" in text


def test_a_profile_without_a_meaning_has_no_such_section(bundle) -> None:
    """Nothing is made up."""
    assert "What this means" not in summary_markdown(build_report(bundle))


def test_the_measured_baseline_stands_beside_the_documents_example(bundle) -> None:
    """Unknown stays unknown; the example is named as one."""
    measured = {
        "single_user_p95": 900.0, "optimal_throughput": 41.0, "baseline_error_rate": 0.0,
        "resource_baseline": {"cpu_baseline": 3.2, "memory_baseline": None},
    }  # fmt: skip
    bundle.write("performance_baseline.json", measured)
    text = summary_markdown(build_report(bundle))
    assert "| figure | measured | the document's example |" in text
    assert "| P95 | 900 ms | 1,200 ms |" in text
    assert "| throughput of a user | 41 req/min | 50 req/min |" in text
    assert "| errors | 0 % | 0 % |" in text
    assert "| CPU of a user | 3.2 % | 15 % |" in text
    assert "| memory of a user | not measured | 25 % |" in text


def test_notes_on_overrides_stand_in_the_head(bundle) -> None:
    """Each as a quotation below the run's line; a spike's duration is all of it."""
    bundle.update_manifest(**manifest_of("spike_test", users=80, duration_s=480))
    head = summary_markdown(build_report(bundle)).split("## ")[0]
    assert "80 users, 480 s in all" in head
    assert "> Users overridden (100 → 80)" in head
    assert "> Duration overridden (600 s → 480 s)" in head


def test_a_breaking_point_in_a_comparison_is_none_found(bundle) -> None:
    """Null there is no missing measurement."""
    row = {"metric": "breaking_point_users", "scope": "all", "unit": "users", "previous": 125.0, "current": None}
    comparison = {"previous_run_id": "stress_test-1", "differences": [row | {"change": None}]}
    bundle.write("comparison.json", comparison)
    assert "| breaking_point_users | 125 users | none found | – |" in summary_markdown(build_report(bundle))


def test_text_of_the_target_is_harmless(bundle) -> None:
    """No tag, no link, no mention, no control character."""
    text = summary_markdown(build_report(bundle))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "[x](" not in text.replace("\\[x](", "")
    assert "@everyone" not in text


def test_a_requirement_is_shown_as_failed_or_as_not_exposed(bundle) -> None:
    """Neither as not measured, which would be the test's own fault."""
    row = ROW | {"value": None, "unit": "s", "n": 1, "lower_bound": False, "not_exposed": None}
    slo = SLO | {"unit": "s", "limit": 60, "observed": None, "ci_low": None, "n": 1, "close": False}
    metrics = [
        row | {"metric": "gdpr_export_s"},
        row | {"metric": "audit_query_s", "not_exposed": "GET /audit/events: HTTP 404"},
    ]
    bundle.write("metrics.json", {"schema": 1, "metrics": metrics})
    slos = [slo | {"metric": "gdpr_export_s"}, slo | {"metric": "audit_query_s", "outcome": "not_judged"}]
    bundle.write("verdict.json", {"verdict": "SLA_BREACH", "reasons": [], "slos": slos})
    text = summary_markdown(build_report(bundle))
    assert "| gdpr_export_s | all | hold | critical | failed | – | 1 | < 60 s | ❌ missed |" in text
    assert "| audit_query_s | all | hold | critical | not measured | – | 1 | < 60 s | ⚪ not exposed |" in text
    assert "not measured: audit_query_s" not in text


def test_hits_of_searches_are_shown(bundle) -> None:
    """Beside the limits; without checks there is no such line."""
    row = ROW | {"metric": "simple_search_s", "unit": "s", "value": 0.1}
    bundle.write("metrics.json", {"schema": 1, "metrics": [row | {"hits": [10, 0, 4]}, row | {"hits": None}]})
    assert "Searches: simple_search 14 hits in 3 searches, 1 empty." in summary_markdown(build_report(bundle))
    bundle.write("metrics.json", {"schema": 1, "metrics": [row]})
    assert "Searches:" not in summary_markdown(build_report(bundle))


def test_a_spike_test_has_the_scenarios_and_the_target_of_its_spike() -> None:
    """Named in the title; the quiet time before it would say nothing."""
    rows = [
        ROW | {"metric": metric, "unit": unit, "phase": phase, "value": value, "lower_bound": False}
        for phase, value in (("hold", 11.0), ("spike", 77.0))
        for metric, unit in (("latency_p95_ms", "ms"), ("host_cpu_pct", "%"))
    ]
    requests, target = scenarios_section(rows, "locust"), resources_section(rows)
    assert requests.startswith("## Requests in the spike\n")
    assert target.startswith("## Target and its host in the spike\n")
    assert "77 ms" in requests
    assert "77 %" in target
    assert "11 " not in requests + target
    assert scenarios_section(rows[:2], "locust").startswith("## Requests in the hold\n")
