"""report.html: every section with the report's own figures, small whatever the target says, and never an empty box."""

import re

import pytest

from include.loadtest import run
from include.loadtest.reporting.markdown import figure
from include.loadtest.reporting.page.report_page import report_html, write_report_page
from include.loadtest.reporting.page.view import MAX_PARTS
from include.loadtest.reporting.report import build_report
from tests.helpers.report_pages import ENDED, EVIL_END, REASONS, STARTED, made_charts, report_bundle
from tests.loadtest.reporting.conftest import write_samples

pytestmark = pytest.mark.unit

MAX_BYTES = 2_000_000
SECTIONS = (
    "reasons", "limits", "time", "scenarios", "baseline", "bottleneck", "recommendations", "errors", "slowest", "gaps",
    "environment",
)  # fmt: skip


def section(html: str, name: str) -> str:
    found = re.search(rf'<section class="card" id="{name}">.*?</section>', html, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("verdict", sorted(REASONS))
def test_every_verdict_has_every_section(tmp_path, verdict) -> None:
    """With its word at the head, and the answer in words."""
    html = report_html(build_report(report_bundle(tmp_path, verdict)), made_charts())
    assert f'class="answers verdict-{verdict.lower()}"' in html
    assert [name for name in SECTIONS if not section(html, name)] == []
    assert re.search(r'<dd class="release">\s*(Yes|Yes, with care|No|Not known)</dd>', html)


def test_figures_are_those_of_the_report(tmp_path) -> None:
    """Each limit's observed value, and each percentile."""
    report, charts = build_report(report_bundle(tmp_path, "SLA_BREACH")), made_charts()
    html = report_html(report, charts)
    limits = section(html, "limits")
    for slo in report["slos"]:
        assert figure(slo["observed"], slo["unit"]) in limits
    for scenario in charts["scenarios"]:
        for one in scenario["percentiles"]:
            assert figure(one["ms"], "ms") in section(html, "scenarios")


def test_errors_have_exact_counts_and_an_example(tmp_path) -> None:
    """The rarer kinds are summed, and all are in the total."""
    errors = section(report_html(build_report(report_bundle(tmp_path, "SLA_BREACH")), made_charts()), "errors")
    assert "24,730 requests failed" in errors
    for shown in ("12,345", "12,344", "HTTP 503", "chat_simple", "2026-11-26 20:00:00 UTC", "41 requests of 7 rarer"):
        assert shown in errors


def test_the_slowest_requests_have_time_trace_and_phase(tmp_path) -> None:
    """Twenty, with the sign of a lower bound."""
    slowest = section(report_html(build_report(report_bundle(tmp_path, "PASS")), made_charts()), "slowest")
    assert slowest.count("<tr>") == 21
    assert "≥ 9,000 ms" in slowest
    assert f"{19:032x}" in slowest


def test_the_change_has_its_interval(tmp_path) -> None:
    """As figures and as a picture."""
    baseline = section(report_html(build_report(report_bundle(tmp_path, "REGRESSION")), made_charts()), "baseline")
    assert "+14.0 – +23.0 %" in baseline
    assert "+18.0 %, between +14.0 and +23.0 %" in baseline


def test_hostile_text_is_nowhere_markup(tmp_path) -> None:
    """Neither in HTML nor in the JSON for the script."""
    html = report_html(build_report(report_bundle(tmp_path, "SLA_BREACH", hostile=True)), made_charts(hostile=True))
    assert "<img" not in html
    assert "<script>alert" not in html
    assert EVIL_END not in html
    assert "\x1b" not in html
    assert html.count("<script") == 4


def test_the_page_is_small_whatever_the_target_says(tmp_path) -> None:
    """200 fingerprints of 100,000 characters each, as many windows as there are, and 60 long series of readings."""
    bundle = report_bundle(tmp_path, "SLA_BREACH")
    error = {"count": 1, "outcome": "http_error", "endpoint": "chat_simple", "fingerprint": "<&" * 50_000}
    bundle.write("errors.json", {"schema": 1, "errors": [error] * 200, "other": {"fingerprints": 0, "count": 0}})
    charts = made_charts(windows=300)
    charts["resources"] = charts["resources"] * 40
    charts["singles"] = [[1_795_723_200.5, 812.345, False]] * 2_001
    assert len(report_html(build_report(bundle), charts).encode()) < MAX_BYTES


def test_the_page_is_small_however_many_alerts_and_parts_there_were(tmp_path) -> None:
    """Of each some are shown, and how many more there are."""
    bundle = report_bundle(tmp_path, "SLA_BREACH")
    parts = [f"samples/w0-{number:06d}.parquet" for number in range(60_000)]
    bundle.write("errors.json", {"schema": 1, "errors": [], "other": None, "unreadable_parts": parts})
    alert = {"id": "a", "severity": "warning", "text": "x" * 300, "since": STARTED, "until": ENDED, "page": "docs/x.md"}
    bundle.write("alerts.json", {"schema": 1, "alerts": [alert] * 20_000, "without_data": []})
    html = report_html(build_report(bundle), made_charts())
    assert len(html.encode()) < MAX_BYTES / 2
    assert f"samples/w0-{MAX_PARTS - 1:06d}.parquet, and 59,950 more." in section(html, "errors")
    assert "And 19,900 more, no more severe" in section(html, "time")


def test_unknown_errors_are_not_none(tmp_path) -> None:
    """Of parts that nobody could read, nobody knows whether a request failed."""
    bundle = report_bundle(tmp_path, "INCONCLUSIVE")
    document = {"schema": 1, "errors": [], "other": None, "unreadable_parts": ["samples/w0-000000.parquet"]}
    bundle.write("errors.json", document)
    errors = section(report_html(build_report(bundle), made_charts()), "errors")
    assert "No request failed" not in errors
    assert "No failed request is in the parts that could be read." in errors
    bundle.write("errors.json", document | {"unreadable_parts": []})
    assert "No request failed." in section(report_html(build_report(bundle), made_charts()), "errors")


@pytest.mark.parametrize(
    ("load", "has_samples", "expected"),
    [
        ({"started": STARTED, "ended": ENDED}, True, "2026-11-26 20:00:00 UTC to 2026-11-26 20:10:00 UTC"),
        ({"started": STARTED, "ended": None}, True, "2026-11-26 20:00:00 UTC to an unknown end"),
        (None, True, "at an unknown time"),
        (None, False, "not sent"),
    ],
    ids=["whole", "no end", "samples only", "none"],
)
def test_when_load_was_sent_is_unknown_where_only_its_samples_say_so(tmp_path, load, has_samples, expected) -> None:
    """A generator that was killed left no account of its load."""
    bundle = report_bundle(tmp_path, "ABORTED")
    bundle.update_manifest(load=load)
    html = report_html(build_report(bundle), made_charts() if has_samples else None)
    (sent,) = re.findall(r'<span class="muted">sent</span> (.*?)</span>', html)
    assert re.sub(r"<[^>]+>", "", sent) == expected


def test_series_that_are_not_drawn_are_counted(tmp_path) -> None:
    """Silence would say that nothing else was read."""
    charts = made_charts()
    report = build_report(report_bundle(tmp_path, "PASS"))
    assert "not drawn" not in section(report_html(report, charts), "time")
    charts["resources"] = charts["resources"] * 30
    assert "30 more series are not drawn" in section(report_html(report, charts), "time")


def test_requests_without_trace_ids_say_so(tmp_path) -> None:
    """A run of an earlier release."""
    charts = made_charts()
    charts["slowest"] = [one | {"trace_id": None} for one in charts["slowest"]]
    slowest = section(report_html(build_report(report_bundle(tmp_path, "PASS")), charts), "slowest")
    assert "traces are not known" in slowest
    assert "search for it" not in slowest


def test_a_run_without_load_says_so_in_each_part(bundle) -> None:
    """One sentence instead of an empty box, and no chart."""
    for name in ("metrics.json", "errors.json"):
        (bundle.path / name).unlink()
    bundle.write("verdict.json", {"verdict": "ABORTED", "reasons": [], "slos": []})
    bundle.update_manifest(environment=None)
    html = report_html(build_report(bundle), None)
    said = "No load was sent in this run, so nothing was measured."
    assert all(said in section(html, name) for name in ("time", "scenarios", "errors", "slowest"))
    assert "No limit was judged in this run." in section(html, "limits")
    assert 'id="charts"' not in html
    assert "not compared" in section(html, "baseline")
    assert "no diagnosis" in section(html, "bottleneck")


def test_what_is_not_configured_and_not_measured_stands_there(bundle) -> None:
    """Never silently left out."""
    gaps = section(report_html(build_report(bundle, ("Slack messages",)), None), "gaps")
    assert "not configured: Slack messages" in gaps
    assert "not measured: cache_hit_rate" in gaps


def test_the_page_is_written_beside_the_reports_and_charts_are_made_once(bundle) -> None:
    """What the first call drew, a second one draws without reading a sample."""
    write_samples(bundle, [(place / 10, 50_000 + place, "ok") for place in range(300)])
    charts = write_report_page(bundle, build_report(bundle))
    assert charts is not None
    assert charts["rows"] == 300
    first = (bundle.path / run.REPORT_PAGE).read_text()
    for part in bundle.samples_dir.iterdir():
        part.unlink()
    write_report_page(bundle, build_report(bundle), charts)
    assert (bundle.path / run.REPORT_PAGE).read_text() == first


def test_the_phase_of_the_key_figures_is_said_where_everybody_sees_it(tmp_path) -> None:
    """The hold, and of a spike test the spike: above the figures, and in the title of the scenarios."""
    report = build_report(report_bundle(tmp_path, "PASS"))
    spike = [row | {"phase": "spike"} for row in report["metrics"] if row["n"]]
    for phase, metrics in (("hold", report["metrics"]), ("spike", [*report["metrics"], *spike])):
        html = report_html(report | {"metrics": metrics}, made_charts())
        assert f'<p class="muted key-phase">Key figures of the {phase}</p>' in html
        assert f"<h2>Scenarios in the {phase}</h2>" in section(html, "scenarios")
