"""A line of a table: why a run came to its verdict, how many runs of a suite came to which."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.loadtest.history.overview import PastRun, SuiteVerdicts
from include.loadtest.orchestration.web.sources import bundle_here
from include.loadtest.orchestration.web.told import NO_VERDICT, bundle_line, past_reason, suite_line
from include.loadtest.reporting.report import SENTENCES
from tests.helpers.web_bundles import begun_run, begun_suite, concluded_run, concluded_suite

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 20, tzinfo=UTC)
STAMP = "20261120-100000-abcdef"


def test_the_reason_that_decided_is_told_and_kept(results: Path) -> None:
    """A note decides nothing; the file is read again only when the history says that the run has changed."""
    reasons = (("slo_missed", "P95 too high"), ("too_few_runs", "0 are there"))
    bundle = concluded_run(results, "smoke-1", "SLA_BREACH", reasons)
    past = PastRun("smoke-1", "SLA_BREACH", NOW, None, None, bundle.path.as_uri(), NOW)
    assert past_reason(past) == "P95 too high"
    concluded_run(results, "smoke-1", "PASS", (("too_few_runs", "0 are there"),))
    assert past_reason(past) == "P95 too high"
    assert past_reason(replace(past, updated=NOW.replace(hour=1))) == SENTENCES["PASS"]


def test_a_reason_whose_bundle_has_gone(results: Path) -> None:
    """The verdict's own sentence; it is asked again next time."""
    past = PastRun("smoke-2", "ABORTED", NOW, None, None, str(results / "smoke-2"), NOW)
    assert past_reason(past) == SENTENCES["ABORTED"]
    concluded_run(results, "smoke-2", "ABORTED", (("operator", "the switch is on"),))
    assert past_reason(past) == "the switch is on"


def test_lines_from_bundles_alone(results: Path) -> None:
    """A run, a suite, one without a verdict; text is on one line."""
    concluded_run(results, "smoke-1", "SLA_BREACH", (("slo_missed", "a\nb"),))
    begun_run(results, "smoke-2")
    concluded_suite(results, "weekly-1", "PASS", {"smoke-1": "PASS", "soak-1": "PASS"})
    lines = [bundle_line(bundle_here(run_id)) for run_id in ("smoke-1", "smoke-2", "weekly-1")]
    assert [(line.kind, line.name, line.verdict, line.reason) for line in lines] == [
        ("runs", "smoke", "SLA_BREACH", "a b"),
        ("runs", "smoke", None, NO_VERDICT),
        ("suites", "weekly", "PASS", "2 PASS"),
    ]


def test_a_suites_verdict_is_its_files_and_else_the_worst_in_the_history(results: Path) -> None:
    """A run that left no verdict is not in the history, but counts in suite.json."""
    last = SuiteVerdicts("weekly", "demo", f"weekly-{STAMP}", NOW, ("PASS", "WARN"))
    assert (suite_line(last).verdict, suite_line(last).counts) == ("WARN", "1 PASS, 1 WARN")
    runs = {f"smoke-{STAMP}": "PASS", f"soak-{STAMP}": "WARN", f"baseline-{STAMP}": "INCONCLUSIVE"}
    concluded_suite(results, f"weekly-{STAMP}", "INCONCLUSIVE", runs)
    assert (suite_line(last).verdict, suite_line(last).runs) == ("INCONCLUSIVE", 3)


def test_a_suite_that_runs_still_has_no_verdict(results: Path) -> None:
    """Its first runs are in the history already; what they came to is not yet the suite's."""
    begun_suite(results, f"weekly-{STAMP}", "smoke", "soak")
    last = SuiteVerdicts("weekly", "demo", f"weekly-{STAMP}", NOW, ("PASS",))
    assert (suite_line(last).verdict, suite_line(last).counts) == (None, "1 PASS")


@pytest.mark.parametrize("odd", [{}, {"verdict": None, "runs": None, "reasons": None}, {"runs": [{}, "smoke-1"]}])
def test_a_verdict_without_its_parts_costs_only_its_own_line(results: Path, odd: dict[str, object]) -> None:
    """It has no verdict, as one that cannot be read: no word is invented, and the table is there."""
    begun_suite(results, f"weekly-{STAMP}", "smoke").write("suite.json", odd)
    begun_run(results, "smoke-1").write("verdict.json", odd)
    last = SuiteVerdicts("weekly", "demo", f"weekly-{STAMP}", NOW, ("PASS",))
    assert suite_line(last).verdict is None
    lines = [bundle_line(bundle_here(run_id)) for run_id in ("smoke-1", f"weekly-{STAMP}")]
    assert [line.verdict for line in lines] == [None, None]
    assert (lines[0].reason, lines[1].reason) == (NO_VERDICT, suite_line(last).counts)


def test_a_manifest_of_an_earlier_release(results: Path) -> None:
    """A name may stand where now is a part with parts of its own."""
    begun_run(results, "smoke-1", profile="smoke", target="demo", suite="weekly")
    line = bundle_line(bundle_here("smoke-1"))
    assert (line.kind, line.name, line.target) == ("runs", "smoke-1", "–")
