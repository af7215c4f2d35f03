import json
import subprocess
from pathlib import Path

import pytest

from tests.github.conftest import REPOSITORY, GitHub, Runner

pytestmark = pytest.mark.integration
PAGES = {"html_url": "https://studio.example/", "build_type": "legacy", "source": {"branch": "gh-pages", "path": "/"}}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def remote(runner: Runner) -> Path:
    """A repository with a branch gh-pages that holds a page of somebody else's."""
    remote = runner.folder / "server" / f"{REPOSITORY}.git"
    remote.mkdir(parents=True)
    git(remote, "init", "--quiet", "--bare")
    site = runner.folder / "site"
    site.mkdir()
    git(site, "init", "--quiet", "--initial-branch=gh-pages")
    (site / "index.html").write_text("other")
    git(site, "add", ".")
    git(site, "commit", "--quiet", "--message=first")
    git(site, "push", "--quiet", str(remote), "gh-pages")
    runner.environment["GITHUB_SERVER_URL"] = f"file://{runner.folder / 'server'}"
    return remote


def made_bundle(runner: Runner, run_id: str, verdict: str = "PASS") -> Path:
    bundle = runner.temp / "load_test_results" / run_id
    (bundle / "samples").mkdir(parents=True)
    (bundle / "samples" / "w0.parquet").write_text("rows")
    (bundle / "verdict.json").write_text(json.dumps({"verdict": verdict}))
    (bundle / "manifest.json").write_text("{}")
    (bundle / "load_test_report_20261129_020200.json").write_text("{}")
    (bundle / "locust_results.html").write_text("<html>")
    return bundle


def publish(runner: Runner) -> subprocess.CompletedProcess[str]:
    results = str(runner.temp / "load_test_results")
    return runner.run("pages", "Publish on GitHub Pages", DEFAULT_BRANCH="main", RESULTS=results)


def published(remote: Path) -> set[str]:
    return set(git(remote, "ls-tree", "-r", "--name-only", "gh-pages").split())


def shown(remote: Path, name: str) -> str:
    return git(remote, "show", f"gh-pages:load-tests/{name}")


def test_reports_are_added_to_what_is_there(runner: Runner, github: GitHub, remote: Path) -> None:
    """Two runs, both kept and listed, the latest first; samples and the manifest stay private."""
    github.pages = PAGES
    for run_id, verdict in (("smoke-1", "PASS"), ("smoke-2", "SLA_BREACH")):
        bundle = made_bundle(runner, run_id, verdict)
        done = publish(runner)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "https://studio.example/load-tests/" in done.stdout
        bundle.rename(runner.folder / run_id)
    files = ("load_test_report_20261129_020200.json", "locust_results.html", "verdict.json")
    reports = {f"load-tests/smoke-{number}/{name}" for number in (1, 2) for name in files}
    assert published(remote) == {"index.html", "load-tests/index.html", "load-tests/index.json"} | reports
    assert [entry["run_id"] for entry in json.loads(shown(remote, "index.json"))] == ["smoke-2", "smoke-1"]
    assert "<td>SLA_BREACH</td><td>smoke-2</td>" in shown(remote, "index.html")


def test_the_oldest_runs_go(runner: Runner, github: GitHub, remote: Path) -> None:
    """Fifty runs stay."""
    github.pages = PAGES
    for number in range(52):
        made_bundle(runner, f"smoke-{number:02}")
    assert publish(runner).returncode == 0
    runs = {name.split("/")[1] for name in published(remote) if name.startswith("load-tests/smoke")}
    assert runs == {f"smoke-{number:02}" for number in range(50)}


def test_what_a_bundle_says_is_escaped_and_a_strange_folder_left_out(
    runner: Runner, github: GitHub, remote: Path
) -> None:
    """A verdict is text, a folder's name may be part of an address."""
    github.pages = PAGES
    made_bundle(runner, "smoke-1", "<script>alert(1)</script>")
    made_bundle(runner, "<b>x")
    (runner.temp / "load_test_results" / "prometheus").mkdir()
    assert publish(runner).returncode == 0
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in shown(remote, "index.html")
    assert {name.split("/")[1] for name in published(remote) if "/" in name} == {"index.html", "index.json", "smoke-1"}


def test_a_push_that_came_second_is_made_anew(runner: Runner, github: GitHub, remote: Path) -> None:
    """The branch refuses once, as it does when somebody else has pushed."""
    github.pages = PAGES
    made_bundle(runner, "smoke-1")
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\n[ -e "{runner.folder}/refused" ] || {{ touch "{runner.folder}/refused"; exit 1; }}\n')
    hook.chmod(0o755)
    done = publish(runner)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "load-tests/smoke-1/verdict.json" in published(remote)


@pytest.mark.parametrize(
    ("pages", "text"),
    [
        (None, "GitHub Pages is not configured"),
        (PAGES | {"build_type": "workflow"}, "set the source of GitHub Pages to a branch of its own"),
        (
            PAGES | {"source": {"branch": "main", "path": "/docs"}},
            "set the source of GitHub Pages to a branch of its own",
        ),
    ],
)
def test_without_a_place_nothing_is_published_and_the_log_says_so(
    runner: Runner, github: GitHub, remote: Path, pages: dict | None, text: str
) -> None:
    """No failure, and never a commit to the branch that people work on."""
    github.pages = pages
    made_bundle(runner, "smoke-1")
    done = publish(runner)
    assert done.returncode == 0
    assert f"::notice::nothing is published: {text}" in done.stdout
    assert published(remote) == {"index.html"}


def test_without_a_bundle_nothing_is_asked(runner: Runner, github: GitHub) -> None:
    """A configured Airflow keeps its bundles itself."""
    done = publish(runner)
    assert (done.returncode, github.requests) == (0, [])
    assert "left no bundle here" in done.stdout


def test_a_branch_that_cannot_be_read_is_red_and_hides_the_token(runner: Runner, github: GitHub, remote: Path) -> None:
    """Pages names a branch that does not exist."""
    github.pages = PAGES | {"source": {"branch": "other", "path": "/"}}
    made_bundle(runner, "smoke-1")
    done = publish(runner)
    assert done.returncode == 1
    assert "::error::nothing is published: git clone failed" in done.stdout
    assert "job-token" not in done.stdout + done.stderr
    assert published(remote) == {"index.html"}
