import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.github.conftest import ROOT, Call, Runner
from tests.helpers.github_answers import filled
from tests.helpers.github_git import Refused
from tests.helpers.github_service import GitHubService, Trouble

pytestmark = pytest.mark.integration
SITE = "https://studio.example/"
PAGES: dict[str, Any] = {"html_url": SITE, "build_type": "legacy", "source": {"branch": "gh-pages", "path": "/"}}


def made_bundle(runner: Runner, run_id: str, verdict: str = "PASS") -> Path:
    bundle = runner.temp / "load_test_results" / run_id
    (bundle / "samples").mkdir(parents=True)
    (bundle / "samples" / "w0.parquet").write_text("rows")
    (bundle / "verdict.json").write_text(json.dumps({"run_id": run_id, "profile": "smoke", "verdict": verdict}))
    (bundle / "manifest.json").write_text(json.dumps({"target": {"name": "demo"}}))
    (bundle / "load_test_report_20261129_020200.json").write_text("{}")
    (bundle / "load_test_summary_20261129_020200.md").write_text(f"# {verdict}: Smoke\n")
    (bundle / "locust_results.html").write_text("<html>")
    return bundle


def configure(github: GitHubService, pages: dict[str, Any] | None) -> None:
    """Let the repository's Pages be built so; None: not at all."""

    def answer(**_: Any) -> tuple[int, Any]:
        if pages is None:
            raise Refused(404, "Not Found")
        return 200, filled("page", github.url, **pages)

    github.api.repos_get_pages = answer  # type: ignore[method-assign]


Publish = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def publish(runner: Runner, call: Call) -> Publish:
    return lambda: call("publish_pages", str(runner.temp / "load_test_results"), DEFAULT_BRANCH="main")


def test_reports_are_published_and_listed(runner: Runner, github: GitHubService) -> None:
    """Two runs in one job, with verdict and target; samples, manifest and other folders stay private."""
    configure(github, PAGES)
    made_bundle(runner, "smoke-1")
    made_bundle(runner, "smoke-2", "SLA_BREACH")
    made_bundle(runner, "<b>x")
    (runner.temp / "load_test_results" / "prometheus").mkdir()
    (runner.temp / "load_test_results" / "result.json").write_text("{}")
    done = runner.run(
        "pages",
        "Publish on GitHub Pages",
        DEFAULT_BRANCH="main",
        RESULTS=str(runner.temp / "load_test_results"),
        PYTHONPATH=str(ROOT),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"published smoke-1: {SITE}load-tests/smoke-1/\n" in done.stdout
    content = github.git.content("gh-pages")
    files = ("index.html", "load_test_report_20261129_020200.json", "locust_results.html", "verdict.json")
    reports = {f"load-tests/smoke-{number}/{name}" for number in (1, 2) for name in files}
    assert set(content) == {".nojekyll", "load-tests/index.html", "load-tests/index.json"} | reports
    lines = json.loads(content["load-tests/index.json"])["runs"]
    assert {(line["run_id"], line["verdict"], line["target"]) for line in lines} == {
        ("smoke-1", "PASS", "demo"),
        ("smoke-2", "SLA_BREACH", "demo"),
    }


@pytest.mark.parametrize(
    ("pages", "text"),
    [
        (None, "GitHub Pages is not configured"),
        (PAGES | {"build_type": "workflow"}, "set the source of GitHub Pages to the root folder of a branch"),
        (PAGES | {"source": {"branch": "main", "path": "/"}}, "set the source of GitHub Pages to the root folder"),
        (PAGES | {"source": {"branch": "site", "path": "/docs"}}, "set the source of GitHub Pages to the root folder"),
    ],
)
def test_without_a_place_nothing_is_published_and_the_log_says_so(
    runner: Runner, github: GitHubService, publish: Publish, pages: dict[str, Any] | None, text: str
) -> None:
    """No failure, and never a commit to the branch that people work on."""
    configure(github, pages)
    made_bundle(runner, "smoke-1")
    done = publish()
    assert done.returncode == 0, done.stderr
    assert f"::notice::nothing is published: {text}" in done.stdout
    assert list(github.git.refs) == ["heads/main"]
    assert github.seen == ["repos/get-pages"]


def test_without_a_bundle_nothing_is_asked(github: GitHubService, publish: Publish) -> None:
    """A configured Airflow keeps its bundles itself."""
    done = publish()
    assert (done.returncode, github.seen) == (0, [])
    assert "left no bundle here" in done.stdout


def test_settings_that_cannot_work_are_named_as_the_job_has_them(
    runner: Runner, github: GitHubService, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here is no connection of Airflow."""
    made_bundle(runner, "smoke-1")
    for name, value in (("GITHUB_TOKEN", ""), ("GITHUB_REPOSITORY", "x"), ("GITHUB_API_URL", "ftp://x")):
        monkeypatch.setitem(runner.environment, name, value)
        done = publish()
        assert done.returncode == 1
        assert "::error::nothing is published: " in done.stdout
        assert name in done.stdout
        assert "connection" not in done.stdout
        monkeypatch.undo()
    assert github.seen == []


def test_a_token_that_is_refused_is_named_as_the_job_has_it(
    runner: Runner, github: GitHubService, publish: Publish
) -> None:
    """Also by what GitHub says of it."""
    configure(github, PAGES)
    made_bundle(runner, "smoke-1")
    runner.environment["GITHUB_TOKEN"] = "wrong"
    assert "put a valid token into GITHUB_TOKEN" in publish().stdout


def test_a_github_that_stumbles_is_asked_again(runner: Runner, github: GitHubService, publish: Publish) -> None:
    """This job has no second day."""
    configure(github, PAGES)
    made_bundle(runner, "smoke-1")
    github.troubles["git/create-ref"] = Trouble(status=502, is_processed=True, times=1)
    assert publish().returncode == 0
    assert "load-tests/smoke-1/verdict.json" in github.git.content("gh-pages")
    assert len(github.git.history("gh-pages")) == 1


def test_a_bundle_that_cannot_be_published_is_red_and_the_others_are(
    runner: Runner, github: GitHubService, publish: Publish
) -> None:
    """A damaged verdict, and a run that has no summary."""
    configure(github, PAGES)
    (made_bundle(runner, "smoke-1") / "verdict.json").write_text("{")
    (made_bundle(runner, "smoke-2") / "load_test_summary_20261129_020200.md").unlink()
    made_bundle(runner, "smoke-3")
    done = publish()
    assert done.returncode == 1
    assert "::error::smoke-1 is not published: its files cannot be read" in done.stdout
    assert "::error::smoke-2 is not published: there is no summary of smoke-2" in done.stdout
    assert "load-tests/smoke-3/index.html" in github.git.content("gh-pages")


def test_a_github_that_refuses_is_red_and_the_token_stays_hidden(
    runner: Runner, github: GitHubService, publish: Publish
) -> None:
    """No permission to write: asked once, since asking again cannot help."""
    configure(github, PAGES)
    made_bundle(runner, "smoke-1")
    github.troubles["git/create-tree"] = Trouble(status=403)
    done = publish()
    assert done.returncode == 1
    assert "::error::smoke-1 is not published: GitHub refuses: trouble (HTTP 403)" in done.stdout
    assert runner.environment["GITHUB_TOKEN"] not in done.stdout + done.stderr
    assert github.count("git/create-tree") == 1
