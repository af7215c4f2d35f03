"""`publish_pages.py FOLDER`: publishes the reports of the bundles in FOLDER on the repository's GitHub Pages.

They go onto the branch that Pages is built from. Where Pages is not configured nothing is published and the log says
so: Pages may be public, so somebody has to have asked for it.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from job_settings import job_settings
from patience import patiently
from workflow_commands import annotate, say

from include.loadtest.errors import LoadTestError
from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.github import GitHubSettings, github_errors, repository
from include.loadtest.publishing.pages import publication_of, publish_page
from include.loadtest.publishing.pages_index import entry_of, is_run_id

_OWN_BRANCH = "set the source of GitHub Pages to the root folder of a branch of its own, such as gh-pages"
_VERDICTS = ("suite.json", "verdict.json")


def main() -> int:
    """0 also where there is nothing to publish, or nowhere; 1 when GitHub fails, or a bundle is damaged."""
    bundles = sorted(folder for folder in Path(sys.argv[1]).glob("*") if _is_bundle(folder))
    if not bundles:
        annotate("notice", "nothing is published: this run left no bundle here")
        return 0
    try:
        settings = job_settings(os.environ)
        place = patiently(lambda budget: _pages(settings, budget))
    except LoadTestError as error:
        annotate("error", f"nothing is published: {error}")
        return 1
    if isinstance(place, str):
        annotate("notice", f"nothing is published: {place}")
        return 0
    failed = [bundle for bundle in bundles if not _publish(place, bundle)]
    return 1 if failed else 0


def _is_bundle(folder: Path) -> bool:
    has_verdict = any((folder / name).is_file() for name in _VERDICTS)
    return has_verdict and is_run_id(folder.name) and not folder.is_symlink()


def _pages(settings: GitHubSettings, budget: Budget) -> GitHubSettings | str:
    """The settings with the branch of the repository's Pages, or why nothing may be published there."""
    from github import GithubException

    github = repository(settings, budget)
    with github_errors():
        try:
            _, pages = github.requester.requestJsonAndCheck("GET", f"/repos/{settings.repository}/pages")
        except GithubException as refused:
            if refused.status in (403, 404):
                return "GitHub Pages is not configured for this repository"
            raise
    source: Mapping[str, Any] = pages.get("source") or {}
    branch = str(source.get("branch") or "")
    is_whole = str(source.get("path") or "/") == "/"
    if pages.get("build_type") == "workflow" or not is_whole or branch in ("", os.environ["DEFAULT_BRANCH"]):
        return _OWN_BRANCH
    return replace(settings, pages_branch=branch, pages_url=pages.get("html_url") or None)


def _publish(settings: GitHubSettings, bundle: Path) -> bool:
    try:
        document, manifest = _content(bundle, *_VERDICTS), _content(bundle, "manifest.json")
        entry = entry_of({**(document or {}), "run_id": bundle.name}, manifest)
        names = [file.name for file in bundle.iterdir() if file.is_file() and not file.is_symlink()]
        publication = publication_of(entry, names, lambda name: (bundle / name).read_bytes())
        receipt = patiently(partial(publish_page, settings, publication))
    except (DeliveryError, ValueError) as error:
        reason = error if isinstance(error, DeliveryError) else "its files cannot be read"
        annotate("error", f"{bundle.name} is not published: {reason}")
        return False
    if receipt["kept"]:
        say(f"published {bundle.name}: {receipt['url'] or settings.pages_branch}")
    else:
        annotate("notice", f"{bundle.name} is not published: the list keeps later runs only")
    return True


def _content(bundle: Path, *names: str) -> dict[str, Any] | None:
    """The first of the files that is there. Raises ValueError for one that is no JSON object."""
    file = next((bundle / name for name in names if (bundle / name).is_file()), None)
    document = None if file is None else json.loads(file.read_text(encoding="utf-8"))
    if document is not None and not isinstance(document, dict):
        raise ValueError(f"{bundle.name} is damaged")
    return document


if __name__ == "__main__":
    sys.exit(main())
