"""A suite in this process: its runs share users, tokens and the lock; a breach in one does not stop the next."""

import json
import stat
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.errors import InvalidTestError
from include.loadtest.orchestration import suite as stages
from include.loadtest.orchestration.context import RunContext, SuiteContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.pipeline import run_stage
from include.loadtest.profile.suites import Suite, SuiteRun
from include.loadtest.reporting.suite import SuiteEntry
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget, demo_target

pytestmark = pytest.mark.integration

TAGGED = """SELECT count(*) FROM "user" WHERE account_code LIKE 'LT-%'"""
RUNS = (SuiteRun(profile="smoke", users=3, duration_s=8), SuiteRun(profile="baseline", duration_s=15))
SUITE = Suite(name="pair", title="A pair", purpose="Two runs.", max_load_s=60, review_days=31, runs=RUNS)
IN_A_SUITE = (
    *(
        "preflight",
        "warm_cache",
        "run_profile",
        "collect_metrics",
        "validate_sla",
        "diff_history",
        "diagnose",
        "publish",
    ),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture
def suite_context(demo: DemoTarget, history_url: str, tmp_path: Path) -> SuiteContext:
    return SuiteContext(
        bundle=Bundle(tmp_path / "pair-1"),
        bundle_uri=str(tmp_path / "pair-1"),
        target_name="demo",
        load_target=lambda name: Target.checked(
            load_target_file(name), demo.base_url, demo.database_url, demo.redis_url
        ),
        history_url=history_url,
        work_dir=tmp_path / "work" / "pair-1",
        owner="test/pair-1",
        suite=SUITE,
    )


def run_context(suite: SuiteContext, index: int) -> RunContext:
    entry = suite.suite.runs[index]
    bundle = suite.bundle.path.with_name(f"{entry.profile}-{index}")
    return RunContext(
        bundle=Bundle(bundle),
        bundle_uri=str(bundle),
        target_name="demo",
        load_target=suite.load_target,
        history_url=suite.history_url,
        work_dir=suite.work_dir / bundle.name,
        owner=suite.owner,
        order=RunOrder.from_suite(entry, {"target": "demo", "reason": "test"}),
        suite=suite,
    )


def document_of(entry: SuiteEntry, name: str) -> dict | None:
    file = Path(entry.bundle_uri) / name
    return json.loads(file.read_text()) if file.exists() else None


def entries(suite: SuiteContext) -> list[SuiteEntry]:
    runs = [run_context(suite, index) for index in range(len(suite.suite.runs))]
    return [
        SuiteEntry(
            context.bundle.run_id,
            context.order.profile,
            context.bundle_uri,
            *(context.bundle.read(name) if context.bundle.has(name) else None for name in FILES),
        )
        for context in runs
    ]


FILES = ("manifest.json", "verdict.json")


def test_a_breach_does_not_stop_the_next_run_and_is_the_suites_verdict(demo, suite_context) -> None:
    """Users are made once and removed once; the second run uses the first one's tokens, of mode 0600."""
    for name in ("preflight", "seed_users"):
        stages.run_suite_stage(suite_context, name, lambda: entries(suite_context), document_of)
    assert demo.sql(TAGGED) == [(200,)]
    tokens = []
    for index in range(2):
        context = run_context(suite_context, index)
        with demo.client() as client:
            if index == 0:
                client.put("/admin/faults", json={"llm_down": True}).raise_for_status()
            try:
                for name in IN_A_SUITE:
                    run_stage(context, name)
            finally:
                client.delete("/admin/faults").raise_for_status()
        assert stat.S_IMODE(suite_context.sessions_file.stat().st_mode) == 0o600
        tokens.append(json.loads(suite_context.sessions_file.read_text()))
        assert not list(context.bundle.path.rglob("sessions.json"))
    first = next(iter(tokens[0]))
    assert tokens[1][first] == tokens[0][first], "a token of the first run was made anew for the second"
    verdicts = [entry.outcome for entry in entries(suite_context)]
    assert verdicts == ["SLA_BREACH", "PASS"]
    for name in ("publish_suite", "review", "cleanup_users"):
        stages.run_suite_stage(suite_context, name, lambda: entries(suite_context), document_of)
    document = stages.close(suite_context, lambda: entries(suite_context))
    assert document["verdict"] == "SLA_BREACH"
    assert [run["verdict"] for run in document["runs"]] == ["SLA_BREACH", "PASS"]
    assert demo.sql(TAGGED) == [(0,)]
    assert suite_context.bundle.read("review.json")["answer"].keys() == {"carries", "buy", "changed", "decide"}
    assert not suite_context.sessions_file.exists()
    sizes = suite_context.bundle.read("manifest.json")["sizes"]
    assert sizes["after_cleanup"]["row_counts"]["user"] == 0


def test_a_suite_whose_users_could_not_be_made_sends_no_load(suite_context) -> None:
    """Each of its runs says why, and the suite is INCONCLUSIVE."""
    stages.run_suite_stage(suite_context, "preflight", lambda: entries(suite_context), document_of)
    context = run_context(suite_context, 0)
    with pytest.raises(InvalidTestError, match="the suite has no test users"):
        run_stage(context, "preflight")
    run_stage(context, "validate_sla")
    verdict = context.bundle.read("verdict.json")
    assert (verdict["verdict"], verdict["reasons"][0]["code"]) == ("INCONCLUSIVE", "setup_failed")
    document = stages.close(suite_context, lambda: entries(suite_context))
    assert document["verdict"] == "INCONCLUSIVE"


def test_the_stop_switch_lets_no_suite_begin(demo, suite_context) -> None:
    """Nothing is made on the target, and no lock is taken."""
    from dataclasses import replace

    stopped = replace(suite_context, stop_requested=lambda: True)
    with pytest.raises(InvalidTestError, match="switch that stops all load is on"):
        stages.run_suite_stage(stopped, "preflight", lambda: entries(stopped), document_of)
    assert demo.sql(TAGGED) == [(0,)]
