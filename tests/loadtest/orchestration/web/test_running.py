"""Which runs are under way, from who has a target and what lies in the results."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.history.overview import TargetUse
from include.loadtest.orchestration.web.running import Running, running_of
from tests.helpers.live_bundles import live_document
from tests.helpers.web_bundles import begun_run, begun_suite, concluded_run

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 20, tzinfo=UTC)
STAMP = "20261120-100000-abcdef"


def _use(run_id: str | None) -> TargetUse:
    return TargetUse("demo", None if run_id is None else "dag/run at here", run_id, NOW, ())


def test_a_run_by_itself(results: Path) -> None:
    """Also where its manifest is not there yet: a remote bundle comes with its first stage's end."""
    begun_run(results, "smoke-1")
    assert running_of(_use("smoke-1")) == [Running("smoke-1", "demo", "smoke", NOW, None)]
    assert running_of(_use("smoke-2")) == [Running("smoke-2", "demo", None, NOW, None)]
    assert running_of(_use(None)) == []


def test_a_run_that_died_is_not_under_way(results: Path) -> None:
    """Its lease on the target lasts a while longer, as the line of the target says."""
    bundle = begun_run(results, "smoke-1")
    bundle.write("live.json", live_document("smoke-1", at=NOW))
    assert running_of(_use("smoke-1")) == []


def test_a_suites_run_that_has_no_verdict_yet(results: Path) -> None:
    """The suite has the target; its concluded or dead runs, and runs of another moment, are not under way."""
    suite = f"weekly-{STAMP}"
    begun_suite(results, suite, "smoke", "baseline", "soak")
    concluded_run(results, f"smoke-{STAMP}")
    baseline = begun_run(results, f"baseline-{STAMP}")
    begun_run(results, "soak-20261119-100000-abcdef")
    refused = Bundle(results / f"baseline-{STAMP}-repeat1")
    refused.update_manifest(repeat_of=baseline.run_id)
    assert running_of(_use(suite)) == []
    baseline.write("live.json", live_document(baseline.run_id))
    assert running_of(_use(suite)) == [Running(f"baseline-{STAMP}", "demo", "baseline", NOW, suite)]


def test_a_run_by_itself_that_has_its_verdict(results: Path) -> None:
    """Its last stages may have the target still, as the line of the target says; it is not under way."""
    concluded_run(results, "smoke-1")
    assert running_of(_use("smoke-1")) == []
