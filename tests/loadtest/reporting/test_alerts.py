"""What crossed a threshold stands in the summary, with what was not watched."""

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.reporting.alerts import MAX_ALERTS_SHOWN, NONE_CROSSED, alert_text, alerts_section, shown_alerts
from include.loadtest.reporting.report import build_report
from include.loadtest.reporting.summary import summary_markdown
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit
ALERT = {
    "id": "error_rate_high", "metric": "error_rate", "value": 0.2, "limit": 0.01, "unit": "ratio",
    "severity": "critical",
    "since": "2026-03-01T02:00:10.500000Z", "until": "2026-03-01T02:01:40.500000Z", "text": HOSTILE,
    "page": "docs/alerts/error_rate_high.md",
}  # fmt: skip


def test_an_alert_is_told_in_one_line() -> None:
    """Figure, limit, time; that a machine is shared."""
    named = {own.id: own for own in load_thresholds().thresholds}
    text = alert_text(named["error_rate_high"], 0.2, shared_host=False)
    assert text == "error_rate at 20 % (alert: > 1 % for 30 s)"
    text = alert_text(named["host_cpu_high"], 97.31, shared_host=True)
    assert text.startswith("host_cpu_pct at 97.31 % (alert: > 80 % for 60 s); shared host, for information only")


def test_the_summary_has_the_alerts_and_what_was_not_watched(bundle: Bundle) -> None:
    """With how long each took, and the page to turn to; foreign text is harmless."""
    still_on = ALERT | {"until": None}
    bundle.write("alerts.json", {"schema": 1, "alerts": [ALERT, still_on], "without_data": ["cache_hit_rate"]})
    report = build_report(bundle)
    text = summary_markdown(report)
    assert report["alerts"]["alerts"] == [ALERT, still_on]
    assert "## Alerts during the load (shown, not judged)" in text
    assert "| 2026-03-01 02:00:10 UTC | 2026-03-01 02:01:40 UTC (90 s) | `docs/alerts/error_rate_high.md` |" in text
    assert "| 2026-03-01 02:00:10 UTC | the load's end |" in text
    assert "- Not watched, as there were no figures: cache_hit_rate" in text
    assert "<script>" not in text


def test_of_too_many_alerts_the_severe_ones_stay_in_their_order(bundle: Bundle) -> None:
    """A figure that swings around its limit for hours; how many are left out is said, alerts.json has them all."""
    alerts = [ALERT | {"severity": "info" if number % 20 else "critical", "id": number} for number in range(1200)]
    shown, left_out = shown_alerts(alerts)
    assert (len(shown), left_out) == (MAX_ALERTS_SHOWN, 1100)
    assert [one["id"] for one in shown] == sorted(one["id"] for one in shown)
    assert {one["id"] for one in alerts[::20]} <= {one["id"] for one in shown}
    assert max(one["id"] for one in shown if one["severity"] == "info") == 42
    assert shown_alerts(alerts[:MAX_ALERTS_SHOWN]) == (alerts[:MAX_ALERTS_SHOWN], 0)
    bundle.write("alerts.json", {"schema": 1, "alerts": alerts, "without_data": []})
    text = alerts_section(build_report(bundle))
    assert text.count("docs/alerts/error_rate_high.md") == MAX_ALERTS_SHOWN
    assert "- And 1,100 more, no more severe: alerts.json has all" in text


def test_no_alert_is_said_and_no_watch_is_not(bundle: Bundle) -> None:
    """A run that nobody watched is no run without alerts."""
    bundle.write("alerts.json", {"schema": 1, "alerts": [], "without_data": []})
    assert NONE_CROSSED in alerts_section(build_report(bundle))
    assert alerts_section({"alerts": None}) == ""


def test_a_watch_that_failed_is_not_taken_for_no_alert(bundle: Bundle) -> None:
    """Its fault stands there, harmless, beside the alerts that there were."""
    content = {"schema": 1, "alerts": [], "without_data": ["error_rate"], "fault": f"ConfigError: {HOSTILE}"}
    bundle.write("alerts.json", content)
    text = alerts_section(build_report(bundle))
    assert "- The watch itself failed, alerts may be missing: ConfigError: " in text
    assert NONE_CROSSED not in text
    assert "<script>" not in text
    bundle.write("alerts.json", content | {"alerts": [ALERT]})
    text = alerts_section(build_report(bundle))
    assert "docs/alerts/error_rate_high.md" in text
    assert "The watch itself failed" in text
