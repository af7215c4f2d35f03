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
        "COMMENT_FILE": str(runner.temp / "comment.md"),
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


def read(runner: Runner, environment: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, comment, and the log."""
    done = runner.run("load-test", "Read the verdict", **environment)
    assert "Traceback" not in done.stderr, done.stderr
    comment = Path(environment["COMMENT_FILE"]).read_text()
    assert comment.startswith("<!-- load-test-result -->\n## ")
    assert comment.split("\n", 1)[1].strip() == runner.summary().strip()
    return done.returncode, comment, done.stdout


@pytest.mark.parametrize("verdict", ["PASS", "WARN"])
def test_pass_and_warn_are_green_and_show_what_decided(
    runner: Runner, environment: dict[str, str], verdict: str
) -> None:
    """Verdict first, the figures of the critical limits, what a smoke test is for, then the whole summary."""
    made_bundle(runner, verdict)
    code, comment, _ = read(runner, environment)
    assert (code, runner.outputs()) == (0, {"verdict": verdict})
    assert f"{verdict}: load test of `smoke`" in comment.splitlines()[1]
    assert "- `latency_p95_ms of all in hold: 912.4 ms, limit < 4000 ms, n=321`" in comment
    assert "finds what is plainly broken, not a small slow-down" in comment
    assert "# Summary" in comment


@pytest.mark.parametrize("verdict", ["SLA_BREACH", "REGRESSION", "ABORTED", "INCONCLUSIVE"])
def test_every_other_verdict_is_red_and_gives_its_reasons(
    runner: Runner, environment: dict[str, str], verdict: str
) -> None:
    """The reasons stand where a green run has its figures."""
    made_bundle(runner, verdict, reasons=(BREACH,))
    code, comment, log = read(runner, environment | {"LOAD_OUTCOME": "failure"})
    assert code == 1
    assert f"## ❌ {verdict}: load test" in comment
    assert "- `slo_missed`: `error_rate of all in hold: 0.2, limit < 0.01, n=321`" in comment
    assert f"::error::the load test's verdict is {verdict}" in log


def test_without_a_bundle_it_is_red_and_says_that_nothing_is_known(runner: Runner, environment: dict[str, str]) -> None:
    """No verdict is ever made up: neither without any output, nor from a line that no bundle stands behind."""
    code, comment, log = read(runner, environment | {"LOAD_OUTCOME": "skipped"})
    assert (code, runner.outputs()) == (1, {"verdict": ""})
    assert "❌ No verdict" in comment
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
    code, comment, log = read(runner, environment)
    assert (code, runner.outputs()) == (1, {"verdict": ""})
    assert "❌ No verdict" in comment
    assert "::error::no verdict: " in log


def test_a_green_verdict_of_a_step_that_failed_is_red(runner: Runner, environment: dict[str, str]) -> None:
    """The step and the bundle have to agree."""
    made_bundle(runner, "PASS")
    assert read(runner, environment | {"LOAD_OUTCOME": "failure"})[0] == 1


def test_a_suite_shows_its_runs(runner: Runner, environment: dict[str, str]) -> None:
    """The worst verdict counts; each run has a line."""
    bundle = runner.temp / "load_test_results" / "weekly-1"
    bundle.mkdir(parents=True)
    runs = [{"run_id": "a", "profile": "baseline", "verdict": "PASS"},
            {"run_id": "b", "profile": "peak_hours", "verdict": "SLA_BREACH"}]  # fmt: skip
    document = {"schema": 1, "suite_run_id": bundle.name, "suite": "weekly", "verdict": "SLA_BREACH", "runs": runs}
    (bundle / "suite.json").write_text(json.dumps(document))
    Path(environment["LOAD_TEST_OUTPUT"]).write_text(f"verdict: SLA_BREACH\nbundle: {bundle}\n")
    code, comment, _ = read(runner, environment)
    assert code == 1
    assert "SLA_BREACH: load test of `weekly`" in comment
    assert "- `peak_hours`: `SLA_BREACH`" in comment
    assert "finds what is plainly broken" not in comment


def test_a_configured_airflows_verdict_needs_no_bundle_here(runner: Runner, environment: dict[str, str]) -> None:
    """Its bundle lies elsewhere: the comment has the address, the run's page and the end of the log."""
    Path(environment["LOAD_TEST_OUTPUT"]).write_text(
        "10:00  publish | 320 requests\nverdict: PASS\nbundle: s3://results/smoke-1\n"
    )
    page = "https://airflow.example/dags/load_test_pull_request/runs/github__77_1"
    code, comment, _ = read(runner, environment | {"WAY": "airflow", "AIRFLOW_PAGE": page})
    assert code == 0
    assert f"[run in Airflow]({page}) · bundle `s3://results/smoke-1`" in comment
    assert "10:00  publish | 320 requests" in comment


def test_a_week_that_airflow_skipped_is_no_result(runner: Runner, environment: dict[str, str]) -> None:
    """Not red, since nothing failed, and no verdict either."""
    code, comment, log = read(runner, environment | {"WAY": "airflow", "SKIPPED": "yes"})
    assert (code, runner.outputs()) == (0, {"verdict": ""})
    assert "⚪ Not run" in comment
    assert "PASS" not in comment
    assert "No load was sent" in log


def test_foreign_text_stays_text(runner: Runner, environment: dict[str, str]) -> None:
    """What a target wrote is code on one line: no mention, no HTML, no line of the log, no end of the code."""
    evil = "`@everyone` <img src=x onerror=y>\n::error::mine\n<!-- load-test-result -->"
    made_bundle(runner, "SLA_BREACH", reasons=({"code": "slo_missed", "text": evil},))
    _, comment, log = read(runner, environment)
    assert "- `slo_missed`: `'@everyone' <img src=x onerror=y> ::error::mine <!-- load-test-result -->`" in comment
    assert "mine" not in log


def test_a_long_summary_is_cut_to_what_github_takes(runner: Runner, environment: dict[str, str]) -> None:
    """At a line's end, and it says so."""
    made_bundle(runner, "PASS", summary="a line of a table\n" * 10_000)
    _, comment, _ = read(runner, environment)
    assert 50_000 < len(comment) <= 60_000
    assert comment.endswith("a line of a table\n\n…cut; see the files.\n\n</details>\n")


def test_the_verdicts_are_those_of_the_library() -> None:
    """The workflow's program runs without the library, and knows the same words."""
    from include.loadtest.verdict import GREEN, Verdict

    result = script("result")
    assert set(result.VERDICTS) == {str(verdict) for verdict in Verdict}
    assert set(result.GREEN) == {str(verdict) for verdict in GREEN}
