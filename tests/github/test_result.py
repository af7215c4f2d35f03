import json
from pathlib import Path
from typing import Any

import pytest

from tests.github.conftest import Runner, script

pytestmark = pytest.mark.integration
SLO = {
    "metric": "latency_p95_ms", "scope": "all", "phase": "hold", "level": "critical", "required": True,
    "comparator": "<", "observed": 912.4, "n": 321, "ci_low": 800.0, "ci_high": 950.0, "limit": 4000.0, "unit": "ms",
    "outcome": "met", "close": False,
}  # fmt: skip
BREACH = {"code": "slo_missed", "metric": "error_rate", "text": "error_rate of all in hold: 0.2, limit < 0.01, n=321"}


@pytest.fixture
def environment(runner: Runner) -> dict[str, str]:
    return {
        "WAY": "demo",
        "LOAD_OUTCOME": "success",
        "SKIPPED": "",
        "LOAD_TEST_OUTPUT": str(runner.temp / "load_test.txt"),
        "LOADTEST_RESULTS_URI": str(runner.temp / "load_test_results"),
        "RUN_PAGE": "https://github.example/studio/load-tests/actions/runs/77",
        "AIRFLOW_PAGE": "",
    }


def made_bundle(runner: Runner, verdict: str, *, reasons: tuple[Any, ...] = (), summary: str = "# Summary\n") -> Path:
    bundle = runner.temp / "load_test_results" / "smoke-20261129-020000-abc123"
    bundle.mkdir(parents=True)
    document = {"schema": 1, "run_id": bundle.name, "suite": None, "profile": "smoke", "engine": "locust"}
    (bundle / "verdict.json").write_text(
        json.dumps(document | {"verdict": verdict, "reasons": list(reasons), "slos": [SLO]})
    )
    (bundle / "load_test_summary_20261129_020200.md").write_text(summary)
    (runner.temp / "load_test.txt").write_text(f"10:00  run_profile | load\nverdict: {verdict}\nbundle: {bundle}\n")
    return bundle


def read(runner: Runner, environment: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    """Exit code, what is left for the other jobs, and the log."""
    done = runner.run("load-test", "Read the verdict", **environment)
    assert "Traceback" not in done.stderr, done.stderr
    result = Path(environment["LOADTEST_RESULTS_URI"]) / "result.json"
    return done.returncode, json.loads(result.read_text()) if result.exists() else {}, done.stdout


@pytest.mark.parametrize("verdict", ["PASS", "WARN"])
def test_pass_and_warn_are_green_and_the_summary_is_the_runs(
    runner: Runner, environment: dict[str, str], verdict: str
) -> None:
    """The run's own summary as it is, and where to read on."""
    bundle = made_bundle(runner, verdict, summary=f"# {verdict}: Smoke\n")
    code, result, _ = read(runner, environment)
    assert (code, runner.outputs()) == (0, {"verdict": verdict})
    assert (result["verdict"], result["run_id"], result["problem"]) == (verdict, bundle.name, None)
    assert runner.summary() == f"# {verdict}: Smoke\n\n[Log and files]({environment['RUN_PAGE']})\n\n"


@pytest.mark.parametrize("verdict", ["SLA_BREACH", "REGRESSION", "ABORTED", "INCONCLUSIVE"])
def test_every_other_verdict_is_red(runner: Runner, environment: dict[str, str], verdict: str) -> None:
    """The annotation names it."""
    made_bundle(runner, verdict, reasons=(BREACH,))
    code, result, log = read(runner, environment | {"LOAD_OUTCOME": "failure"})
    assert (code, result["verdict"]) == (1, verdict)
    assert f"::error::the load test's verdict is {verdict}" in log


def test_without_a_bundle_it_is_red_and_says_that_nothing_is_known(runner: Runner, environment: dict[str, str]) -> None:
    """No verdict is ever made up: neither without any output, nor from a line that no bundle stands behind."""
    code, result, log = read(runner, environment | {"LOAD_OUTCOME": "skipped"})
    assert (code, runner.outputs()) == (1, {"verdict": ""})
    assert (result["verdict"], result["problem"]) == (None, "the load ended without a verdict")
    assert "# ❌ No verdict" in runner.summary()
    assert "::error::no verdict: the load ended without a verdict" in log


@pytest.mark.parametrize(
    "fault", ["gone", "damaged", "not_an_object", "other_verdict", "outside", "unknown", "no_lines", "strange_reasons"]
)
def test_a_verdict_that_cannot_be_believed_is_red(runner: Runner, environment: dict[str, str], fault: str) -> None:
    """A green line alone is not enough: the bundle has to be this job's, whole, and say the same."""
    bundle = made_bundle(runner, "PASS")
    file, output = bundle / "verdict.json", Path(environment["LOAD_TEST_OUTPUT"])
    match fault:
        case "gone":
            file.unlink()
        case "damaged":
            file.write_text('{"verdict": "PASS"')
        case "not_an_object":
            file.write_text('["PASS"]')
        case "other_verdict":
            file.write_text('{"verdict": "WARN"}')
        case "outside":
            bundle.rename(runner.temp / bundle.name)
            output.write_text(f"verdict: PASS\nbundle: {runner.temp / 'load_test_results' / '..' / bundle.name}\n")
        case "unknown":
            output.write_text(f"verdict: FINE\nbundle: {bundle}\n")
        case "no_lines":
            output.write_text(output.read_text() + "the environment was stopped\n")
        case "strange_reasons":
            file.write_text('{"verdict": "PASS", "reasons": [7]}')
    code, result, log = read(runner, environment)
    assert (code, runner.outputs(), result["verdict"]) == (1, {"verdict": ""}, None)
    assert "# ❌ No verdict" in runner.summary()
    assert "PASS" not in runner.summary()
    assert "::error::no verdict: " in log


def test_a_green_verdict_of_a_step_that_failed_is_red(runner: Runner, environment: dict[str, str]) -> None:
    """The step and the bundle have to agree."""
    made_bundle(runner, "PASS")
    assert read(runner, environment | {"LOAD_OUTCOME": "failure"})[0] == 1


def test_a_suite_has_the_verdict_of_its_own_file(runner: Runner, environment: dict[str, str]) -> None:
    """The worst of its runs."""
    bundle = runner.temp / "load_test_results" / "weekly-1"
    bundle.mkdir(parents=True)
    runs = [{"run_id": "a", "profile": "baseline", "verdict": "PASS"},
            {"run_id": "b", "profile": "peak_hours", "verdict": "SLA_BREACH"}]  # fmt: skip
    document = {"schema": 1, "suite_run_id": bundle.name, "suite": "weekly", "verdict": "SLA_BREACH", "runs": runs}
    (bundle / "suite.json").write_text(json.dumps(document))
    Path(environment["LOAD_TEST_OUTPUT"]).write_text(f"verdict: SLA_BREACH\nbundle: {bundle}\n")
    code, result, _ = read(runner, environment)
    assert (code, result["verdict"], result["run_id"]) == (1, "SLA_BREACH", "weekly-1")


def test_a_configured_airflows_verdict_needs_no_bundle_here(runner: Runner, environment: dict[str, str]) -> None:
    """Its bundle lies elsewhere: the summary has the address, the run's page and the end of the log."""
    Path(environment["LOAD_TEST_OUTPUT"]).write_text(
        "10:00  publish | 320 requests\nverdict: PASS\nbundle: s3://results/smoke-1\n"
    )
    page = "https://airflow.example/dags/load_test_pull_request/runs/github__77_1"
    code, result, _ = read(runner, environment | {"WAY": "airflow", "AIRFLOW_PAGE": page})
    assert (code, result["run_id"], result["bundle"]) == (0, None, "s3://results/smoke-1")
    assert result["tail"][0] == "10:00  publish | 320 requests"
    summary = runner.summary()
    assert "# PASS: load test\n\nBundle `s3://results/smoke-1`" in summary
    assert f"[run in Airflow]({page})" in summary
    assert "10:00  publish | 320 requests" in summary


def test_a_week_that_airflow_skipped_is_no_result(runner: Runner, environment: dict[str, str]) -> None:
    """Not red, since nothing failed, and no verdict either."""
    code, result, log = read(runner, environment | {"WAY": "airflow", "SKIPPED": "yes"})
    assert (code, result, runner.outputs()) == (0, {}, {"verdict": ""})
    assert "⚪ Not run" in runner.summary()
    assert "No load was sent" in log


def test_a_log_stays_text(runner: Runner, environment: dict[str, str]) -> None:
    """What a target wrote into it ends no code block, and is no line of this step's log."""
    evil = "```\n::error::mine <img src=x>\x1b\nverdict: FINE\nbundle: `x`\n"
    Path(environment["LOAD_TEST_OUTPUT"]).write_text(evil.replace("FINE", "PASS"))
    _, _, log = read(runner, environment | {"WAY": "airflow"})
    assert runner.summary().count("```") == 2
    assert "Bundle `'x'`" in runner.summary()
    assert "mine" not in log


def test_a_long_summary_is_cut_to_what_github_takes(runner: Runner, environment: dict[str, str]) -> None:
    """At a line's end, and it says so."""
    made_bundle(runner, "PASS", summary="a line of a table €\n" * 20_000)
    read(runner, environment)
    summary = runner.summary()
    assert 200_000 < len(summary) < len(summary.encode()) <= 1024 * 1024
    assert "a line of a table €\n\n…cut; see the files.\n" in summary


def test_the_verdicts_are_those_of_the_library() -> None:
    """The workflow's program runs without the library, and knows the same words."""
    from include.loadtest.verdict import GREEN, Verdict

    result = script("result")
    assert set(result.VERDICTS) == {str(verdict) for verdict in Verdict}
    assert set(result.GREEN) == {str(verdict) for verdict in GREEN}
