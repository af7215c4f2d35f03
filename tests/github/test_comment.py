import subprocess

import pytest

from tests.github.conftest import REPOSITORY, GitHub, Runner

pytestmark = pytest.mark.integration
BOT, MARKER = "github-actions[bot]", "<!-- load-test-result -->"
NEW = f"{MARKER}\n## ✅ PASS: load test of `smoke`\n"


def comment(runner: Runner, *, body: str | None = NEW, head: str = REPOSITORY) -> subprocess.CompletedProcess[str]:
    file = runner.temp / "comment.md"
    if body is not None:
        file.write_text(body)
    return runner.run(
        "comment",
        "Write or renew the comment",
        PR_NUMBER="5",
        HEAD_REPOSITORY=head,
        COMMENT_FILE=str(file),
        RUN_PAGE="https://github.example/x",
    )


def test_the_first_run_makes_a_comment_and_the_next_one_renews_it(runner: Runner, github: GitHub) -> None:
    """One comment, however many runs."""
    assert comment(runner, body=f"{MARKER}\nold").returncode == 0
    assert comment(runner).returncode == 0
    assert [found["body"] for found in github.comments] == [NEW]


def test_only_its_own_comment_is_renewed(runner: Runner, github: GitHub) -> None:
    """Neither a person's that quotes it, nor another program's; its own is found on a later page too."""
    github.add("giulia", f"{MARKER}\nfake")
    github.add(BOT, f"another report about {MARKER}")
    for number in range(100):
        github.add("giulia", f"talk {number}")
    github.add(BOT, f"{MARKER}\nold")
    done = comment(runner)
    assert done.returncode == 0, done.stdout
    assert github.comments[-1]["body"] == NEW
    assert [found["body"] for found in github.comments].count(NEW) == 1


def test_a_forks_pull_request_gets_no_comment_and_the_log_says_so(runner: Runner, github: GitHub) -> None:
    """Its token may only read: nothing is tried, and nothing is red."""
    done = comment(runner, head="somebody/load-tests")
    assert (done.returncode, github.requests) == (0, [])
    assert "::notice::no comment was written: this run's token may not write" in done.stdout


def test_a_token_that_may_not_write_is_said_and_not_red(runner: Runner, github: GitHub) -> None:
    """403: the verdict is another job's."""
    github.problems = [403]
    done = comment(runner)
    assert (done.returncode, github.comments) == (0, [])
    assert "::notice::no comment was written" in done.stdout


def test_a_github_that_stumbles_is_asked_again(runner: Runner, github: GitHub) -> None:
    """A 502 is no answer."""
    github.problems = [502]
    assert comment(runner).returncode == 0
    assert [found["body"] for found in github.comments] == [NEW]


def test_a_refused_comment_is_red(runner: Runner, github: GitHub) -> None:
    """422: somebody has to look; the log has GitHub's words."""
    done = comment(runner, body=MARKER + "x" * 70_000)
    assert (done.returncode, github.comments) == (1, [])
    assert "::error::no comment was written: " in done.stdout
    assert "Validation Failed" in done.stdout


def test_a_job_that_left_nothing_is_told_as_no_verdict(runner: Runner, github: GitHub) -> None:
    """An old green comment must not stay under a new red job."""
    github.add(BOT, NEW)
    assert comment(runner, body=None).returncode == 0
    assert "❌ No verdict" in github.comments[0]["body"]
    assert "PASS" not in github.comments[0]["body"]
