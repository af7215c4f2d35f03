"""The recordings that the page is shown with: their texts are distinct, and a wrong figure on a page is found."""

from pathlib import Path

import pytest

from experiments import hostile_bundle
from experiments.big_bundle import Recorded, write_recording
from experiments.hostile_bundle import OFTEN, hostile_text, write_hostile
from experiments.report import SAMPLES, Seen, _wrong_figures, write_alerts
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.errors_table import write_errors
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.thresholds import LIVE_METRICS, load_thresholds
from include.loadtest.reporting.alerts import MAX_ALERTS_SHOWN
from include.loadtest.reporting.chart_data import chart_data
from include.loadtest.scenarios.checks import fingerprint

pytestmark = pytest.mark.unit
SMOKE = load_profile(find_profile("smoke"))


def test_hostile_texts_differ_also_where_numbers_are_masked() -> None:
    """Their number is what the experiment counts."""
    texts = [hostile_text(number) for number in range(0, 2_000_000, 97)]
    assert len({fingerprint(text) for text in texts}) == len(texts)


def test_failures_are_counted_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same recording, smaller: every text once, one often."""
    monkeypatch.setattr(hostile_bundle, "DISTINCT", 500)
    bundle = Bundle(tmp_path / "smoke-1")
    assert write_hostile(bundle, SMOKE) == 499 + OFTEN
    document = write_errors(bundle)
    assert (document["errors"][0]["count"], document["other"]) == (OFTEN, {"fingerprints": 300, "count": 300})


def test_a_long_recording_is_measured_like_any_run(tmp_path: Path) -> None:
    """Its phases, scenarios, readings and slowest requests are there."""
    bundle = Bundle(tmp_path / "smoke-1")
    write_recording(bundle, SMOKE, Recorded(30_000))
    found = chart_data(bundle)
    assert found is not None
    assert (found["rows"], [span["phase"] for span in found["spans"]]) == (30_000, ["ramp_up", "hold"])
    assert (len(found["scenarios"]), len(found["slowest"])) == (6, 20)
    assert {line["group"] for line in found["resources"]} >= {"cpu", "memory", "database", "redis", "llm", "generator"}


def test_a_long_recording_has_alerts_all_the_time(tmp_path: Path) -> None:
    """More than the page shows, from all thresholds; each that has ended ended after it began."""
    bundle = Bundle(tmp_path / "smoke-1")
    write_alerts(bundle, Recorded(SAMPLES))
    alerts = bundle.read(run.ALERTS)["alerts"]
    watched = {one.id for one in load_thresholds().thresholds if one.metric in LIVE_METRICS}
    assert (len(alerts) > 5 * MAX_ALERTS_SHOWN, {one["id"] for one in alerts}) == (True, watched)
    assert all(one["since"] < one["until"] for one in alerts if one["until"] is not None)


def test_a_figure_that_the_page_shows_otherwise_is_found(tmp_path: Path) -> None:
    """Another text, or none at all; equal ones are only counted."""
    bundle = Bundle(tmp_path / "smoke-1")
    write_recording(bundle, SMOKE, Recorded(3000))
    compute_metrics(bundle, SMOKE)
    slo = {"metric": "error_rate", "scope": "all", "phase": "hold"}
    bundle.write(run.VERDICT, {"slos": [slo]})
    rows = {(row["metric"], row["scope"], row["phase"]): row for row in bundle.read(run.METRICS)["metrics"]}
    p50 = f"{rows['latency_p50_ms', 'scenario:simple_query', 'hold']['value']:.4g} ms"
    limit = ["met", "error_rate all · hold · critical", f"{100 * rows['error_rate', 'all', 'hold']['value']:.4g} %"]
    good = Seen(0.1, 1, None, (), [limit], [], [("simple_query", [["P50", p50, "1"]])])
    wrong, compared = _wrong_figures(bundle, good)
    assert len(wrong) == compared - 2
    assert not [one for one in wrong if one.startswith(("error_rate", "latency_p50_ms scenario:simple_query"))]
    bad = Seen(0.1, 1, None, (), [[*limit[:2], "0 %"]], [], [("simple_query", [["P50", "1 ms", "1"]])])
    assert len(_wrong_figures(bundle, bad)[0]) == compared
