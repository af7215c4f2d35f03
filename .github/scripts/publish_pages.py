"""`publish_pages.py FOLDER`: adds the reports of the bundles in FOLDER to the repository's GitHub Pages.

They go into `load-tests/` on the branch that Pages is built from: the latest 50 runs, with a list of them. Where Pages
is not configured nothing is published and the log says so. Pages may be public: samples are not published.
"""

import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from github_api import GitHubError, call
from workflow_commands import annotate, say

MOST_RUNS = 50
_PATTERNS = ("load_test_report_*.json", "load_test_summary_*.md", "*.html", "verdict.json", "suite.json")
_ATTEMPTS = 3
_RUN_ID = re.compile(r"[a-z0-9_-]{1,200}")


def main() -> int:
    """0 also where there is nothing to publish, or nowhere; 1 when GitHub fails."""
    bundles = sorted(folder for folder in Path(sys.argv[1]).glob("*") if _is_bundle(folder))
    if not bundles:
        annotate("notice", "nothing is published: this run left no bundle here")
        return 0
    try:
        pages = call("GET", "/pages")
    except GitHubError as error:
        if error.status in (403, 404):
            annotate("notice", "nothing is published: GitHub Pages is not configured for this repository")
            return 0
        annotate("error", f"nothing is published: {error}")
        return 1
    source = pages.get("source") or {}
    branch, folder = str(source.get("branch") or ""), str(source.get("path") or "/").strip("/")
    if pages.get("build_type") == "workflow" or not branch or branch == os.environ["DEFAULT_BRANCH"]:
        annotate(
            "notice", "nothing is published: set the source of GitHub Pages to a branch of its own, such as gh-pages"
        )
        return 0
    try:
        _publish(bundles, branch, folder)
    except subprocess.CalledProcessError as error:
        annotate("error", f"nothing is published: {' '.join(error.cmd[:2])} failed: {error.stderr[-500:]}")
        return 1
    say(f"published {len(bundles)} bundles: {str(pages.get('html_url', '')).rstrip('/')}/load-tests/")
    return 0


def _is_bundle(folder: Path) -> bool:
    has_verdict = (folder / "verdict.json").is_file() or (folder / "suite.json").is_file()
    return has_verdict and _RUN_ID.fullmatch(folder.name) is not None and not folder.is_symlink()


def _publish(bundles: list[Path], branch: str, folder: str) -> None:
    """Commit and push; once more from the start when somebody else pushed in between. Raises CalledProcessError."""
    for attempt in range(1, _ATTEMPTS + 1):
        with tempfile.TemporaryDirectory() as work:
            checkout = Path(work) / "pages"
            remote = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}.git"
            _git(Path(work), "clone", "--quiet", "--depth=1", "--single-branch", f"--branch={branch}", remote, "pages")
            add_reports(bundles, checkout / folder / "load-tests", datetime.now(UTC))
            _git(checkout, "add", "--all", "--force", f"./{folder}/load-tests" if folder else "load-tests")
            _git(checkout, "commit", "--quiet", "--allow-empty", "--message=Load test reports")
            try:
                _git(checkout, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
            except subprocess.CalledProcessError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return


def _git(folder: Path, *arguments: str) -> None:
    """git with the job's token in its environment, where no list of processes shows it."""
    login = base64.b64encode(f"x-access-token:{os.environ['GITHUB_TOKEN']}".encode()).decode()
    settings = {
        "http.extraheader": f"AUTHORIZATION: basic {login}",
        "user.name": "github-actions[bot]",
        "user.email": "41898282+github-actions[bot]@users.noreply.github.com",
    }
    environment = os.environ | {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_TERMINAL_PROMPT": "0"}
    for index, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)


def add_reports(bundles: list[Path], site: Path, now: datetime) -> None:
    """Copy the reports, drop the oldest runs, write the list anew."""
    site.mkdir(parents=True, exist_ok=True)
    index = site / "index.json"
    known: list[dict[str, Any]] = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else []
    new = [_copy(bundle, site, now) for bundle in bundles]
    names = {entry["run_id"] for entry in new}
    entries = [*new, *(entry for entry in known if entry["run_id"] not in names)]
    for entry in entries[MOST_RUNS:]:
        if _RUN_ID.fullmatch(str(entry["run_id"])):
            shutil.rmtree(site / entry["run_id"], ignore_errors=True)
    entries = entries[:MOST_RUNS]
    index.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    (site / "index.html").write_text(page_of(entries), encoding="utf-8")


def _copy(bundle: Path, site: Path, now: datetime) -> dict[str, Any]:
    target = site / bundle.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    files = sorted({file for pattern in _PATTERNS for file in bundle.glob(pattern)})
    for file in files:
        if not file.is_symlink():
            shutil.copyfile(file, target / file.name)
    verdict = bundle / ("suite.json" if (bundle / "suite.json").is_file() else "verdict.json")
    document = json.loads(verdict.read_text(encoding="utf-8"))
    return {
        "run_id": bundle.name,
        "verdict": str(document.get("verdict")),
        "published": f"{now:%Y-%m-%d %H:%M} UTC",
        "files": [file.name for file in files],
    }


def page_of(entries: list[dict[str, Any]]) -> str:
    """The list of runs, the latest first. Everything that comes from a bundle is escaped."""
    rows = "\n".join(
        f"<tr><td>{html.escape(entry['published'])}</td><td>{html.escape(entry['verdict'])}</td>"
        f"<td>{html.escape(entry['run_id'])}</td><td>{_links(entry)}</td></tr>"
        for entry in entries
    )
    style = "body{font-family:sans-serif;margin:2em}td,th{padding:.3em 1em;text-align:left;vertical-align:top}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Load tests</title><style>{style}</style>'
        f"<h1>Load tests</h1><table><tr><th>published</th><th>verdict</th><th>run</th><th>files</th></tr>\n{rows}\n"
        "</table></html>\n"
    )


def _links(entry: dict[str, Any]) -> str:
    return "<br>".join(
        f'<a href="{html.escape(entry["run_id"])}/{html.escape(name)}">{html.escape(name)}</a>'
        for name in entry["files"]
    )


if __name__ == "__main__":
    sys.exit(main())
