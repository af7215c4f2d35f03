import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.publishing.pull_request_text import MARKER
from tests.github.conftest import GITHUB_REPOSITORY, ROOT, Call, Runner
from tests.helpers.github_service import BOT, USER, GitHubService, Trouble

pytestmark = pytest.mark.integration
RUN_ID, PAGE = "smoke-20261129-020000-abc123", "https://github.example/studio/load-tests/actions/runs/77"
SLO = {
    "metric": "latency_p95_ms", "scope": "all", "phase": "hold", "level": "critical", "required": True,
    "comparator": "<", "observed": 912.4, "n": 321, "ci_low": 800.0, "ci_high": 950.0, "limit": 4000.0, "unit": "ms",
    "outcome": "met", "close": False,
}  # fmt: skip
VERDICT = {"schema": 1, "run_id": RUN_ID, "suite": None, "profile": "smoke", "engine": "locust"}
RESULT = {"schema": 1, "verdict": "PASS", "bundle": "x", "run_id": RUN_ID, "problem": None, "tail": []}


def left(runner: Runner, result: Any = RESULT, verdict: str = "PASS", **fields: Any) -> Path:
    """What the load's job left; returns the bundle."""
    bundle = runner.temp / "load_test_results" / RUN_ID
    bundle.mkdir(parents=True, exist_ok=True)
    document = VERDICT | {"verdict": verdict, "reasons": [], "slos": [SLO]} | fields
    (bundle / "verdict.json").write_text(json.dumps(document))
    (bundle.parent / "result.json").write_text(json.dumps(result))
    return bundle


def given(runner: Runner, github: GitHubService, head: str = GITHUB_REPOSITORY) -> dict[str, str]:
    """The environment of the step, on a pull request."""
    if not github.issues.pulls:
        github.issues.add_pull(USER, "Faster", github.api.head)
    return {
        "PR_NUMBER": str(next(iter(github.issues.pulls))),
        "HEAD_SHA": github.api.head,
        "HEAD_REPOSITORY": head,
        "RESULTS": str(runner.temp / "load_test_results"),
        "RUN_PAGE": PAGE,
        "PYTHONPATH": str(ROOT),
    }


Tell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tell(runner: Runner, github: GitHubService, call: Call) -> Tell:
    return lambda **values: call("comment", str(runner.temp / "load_test_results"), **given(runner, github, **values))


def comments(github: GitHubService) -> list[str]:
    return [comment["body"] for comment in github.issues.comments.values()]


def test_the_first_run_makes_a_comment_and_a_check_and_the_next_one_renews_them(
    runner: Runner, github: GitHubService, tell: Tell
) -> None:
    """One of each, however many runs; the verdict first, the limits' figures, what a smoke test cannot see."""
    left(runner, RESULT | {"verdict": "SLA_BREACH"}, "SLA_BREACH")
    assert tell().returncode == 0
    left(runner)
    done = runner.run("comment", "Write or renew the comment and the check", **given(runner, github))
    assert done.returncode == 0, done.stdout + done.stderr
    [comment], [check] = comments(github), github.api.checks
    assert comment.startswith(f"{MARKER}\n## ✅ PASS: load test `smoke`\n")
    assert "912.4 ms" in comment
    assert "finds what is plainly broken, not a small slow-down" in comment
    assert f"[Run](<{PAGE}>)" in comment
    assert (check["conclusion"], check["details_url"], check["head_sha"]) == ("success", PAGE, github.api.head)
    assert "wrote the comment: http" in done.stdout


def test_only_its_own_comment_is_renewed(runner: Runner, github: GitHubService, tell: Tell) -> None:
    """Not a person's that copies its beginning."""
    number = github.issues.add_pull(USER, "Faster", github.api.head)["number"]
    github.issues.add_comment(USER, number, f"{MARKER}\nfake")
    github.issues.add_comment(BOT, number, f"{MARKER}\nold")
    left(runner)
    assert tell().returncode == 0
    person, own = comments(github)
    assert person == f"{MARKER}\nfake"
    assert "✅ PASS" in own


def test_a_forks_pull_request_is_told_nothing_and_the_log_says_so(
    runner: Runner, github: GitHubService, tell: Tell
) -> None:
    """Its token may only read: nothing is tried, and nothing is red."""
    left(runner)
    done = tell(head="somebody/assistant")
    assert (done.returncode, github.seen) == (0, [])
    assert "::notice::nothing is told: this run's token may not write" in done.stdout


def test_a_token_that_may_not_write_is_said_and_not_red(runner: Runner, github: GitHubService, tell: Tell) -> None:
    """403 to each of them: the verdict is another job's."""
    left(runner)
    for operation in ("issues/create-comment", "checks/create", "repos/create-commit-status"):
        github.troubles[operation] = Trouble(status=403)
    done = tell()
    assert (done.returncode, comments(github), github.api.checks) == (0, [], []), done.stdout
    assert "::notice::no comment was written: " in done.stdout
    assert "::notice::no check was written: " in done.stdout


def test_a_github_that_stumbles_is_asked_again(runner: Runner, github: GitHubService, tell: Tell) -> None:
    """A 502 is no answer, though it may have come after the comment was made: there is one all the same."""
    left(runner)
    github.troubles["issues/create-comment"] = Trouble(status=502, is_processed=True, times=1)
    assert tell().returncode == 0
    assert len(comments(github)) == 1


def test_a_refused_comment_is_red_and_the_check_is_told_all_the_same(
    runner: Runner, github: GitHubService, tell: Tell
) -> None:
    """Somebody has to look; the token is not in the log."""
    left(runner)
    github.troubles["issues/create-comment"] = Trouble(status=404)
    done = tell()
    assert (done.returncode, len(github.api.checks)) == (1, 1)
    assert "::error::no comment was written: GitHub refuses: trouble (HTTP 404)" in done.stdout
    assert runner.environment["GITHUB_TOKEN"] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("nothing", "the job ended before it had a result"),
        ("no_verdict", "the load ended without a verdict"),
        ("no_json", "the job's result is damaged"),
        ("no_object", "the job's result is damaged"),
        ("unknown", "the job's result is damaged"),
        ("outside", "the job's result is damaged"),
        ("no_bundle", "the job ended before it had a result"),
        ("reasons", "the job's result is damaged"),
    ],
)
def test_what_cannot_be_read_is_told_as_no_verdict(
    runner: Runner, github: GitHubService, tell: Tell, fault: str, text: str
) -> None:
    """An old green comment must not stay under a new red job."""
    number = github.issues.add_pull(USER, "Faster", github.api.head)["number"]
    github.issues.add_comment(BOT, number, f"{MARKER}\n## ✅ PASS: load test `smoke`\n")
    bundle = left(runner)
    result = bundle.parent / "result.json"
    match fault:
        case "nothing":
            result.unlink()
        case "no_verdict":
            result.write_text(json.dumps(RESULT | {"verdict": None, "problem": text, "tail": ["`::error::` @all"]}))
        case "no_json":
            result.write_text("{")
        case "no_object":
            result.write_text("[7]")
        case "unknown":
            left(runner, RESULT | {"verdict": "FINE", "run_id": None})
        case "outside":
            left(runner, RESULT | {"run_id": "../x"})
        case "no_bundle":
            (bundle / "verdict.json").unlink()
        case "reasons":
            left(runner, reasons=[7])
    assert tell().returncode == 0
    [comment], [check] = comments(github), github.api.checks
    assert "## ❌ No verdict: load test" in comment
    assert f"{text}. Nothing is known about the service." in comment
    assert "PASS" not in comment
    assert check["conclusion"] == "action_required"


def test_a_configured_airflows_verdict_needs_no_bundle_here(runner: Runner, github: GitHubService, tell: Tell) -> None:
    """The comment has its address and the end of the log, and claims nothing about figures that it has not seen."""
    result = RESULT | {"run_id": None, "bundle": "s3://results/smoke-1", "tail": ["10:00 publish | redis://:s3cret@h"]}
    left(runner, result)
    assert tell().returncode == 0
    [comment] = comments(github)
    assert "✅ PASS: load test in the configured Airflow" in comment
    assert "bundle `s3://results/smoke-1`" in comment
    assert "- `10:00 publish / redis://:***@h`" in comment
    assert "could have seen" not in comment


def test_foreign_text_stays_text(runner: Runner, github: GitHubService, tell: Tell) -> None:
    """What a target wrote mentions nobody, is no HTML and no line of the log."""
    evil = "@everyone <img src=x onerror=y>\n::error::mine\n#1 https://evil.example/"
    left(runner, RESULT | {"verdict": "SLA_BREACH"}, "SLA_BREACH", reasons=[{"code": "slo_missed", "text": evil}])
    done = tell()
    [comment] = comments(github)
    assert not any(text in comment for text in ("@everyone", "<img", "#1 ", "https://evil"))
    assert "mine" not in done.stdout
