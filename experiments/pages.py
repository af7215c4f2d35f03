"""Sixty reports on the branch of GitHub Pages, with another writer in between: what stays, and what it costs.

The GitHub is the local one of the tests: a real git history behind GitHub's own description of its API.
"""

import itertools
import json
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from experiments.claims import Claim, Say
from include.loadtest.publishing.delivery import Budget
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.pages import publication_of, publish_page
from include.loadtest.publishing.pages_branch import SITE
from include.loadtest.publishing.pages_index import MOST_RUNS, IndexEntry
from include.loadtest.run import run_id_for, utc_text
from tests.helpers.github_git import GitStore
from tests.helpers.github_service import REPOSITORY, TOKEN, GitHubService, Trouble, github_service

NAME = "pages"
PUBLICATIONS, MIDDLE = 60, 30
BRANCH, FOREIGN = "gh-pages", "CNAME"
_WITHIN_S, _CALL_S = 60.0, 20.0
_START = datetime(2026, 1, 5, 6, tzinfo=UTC)
_SUMMARY, _REPORT = "load_test_summary_20260105_060000.md", "load_test_report_20260105_060000.json"


@dataclass
class Publisher:
    """Publishes runs one after the other; `calls`: how many requests each publication made."""

    github: GitHubService
    calls: list[int] = field(default_factory=list)

    def publish(self, number: int) -> None:
        """The run with that number."""
        settings = GitHubSettings.checked(TOKEN, REPOSITORY, self.github.url, BRANCH)
        before = len(self.github.seen)
        files = files_of(number)
        publication = publication_of(entry_of(number), files, files.get)
        publish_page(settings, publication, Budget(_WITHIN_S, _CALL_S))
        self.calls.append(len(self.github.seen) - before)


def entry_of(number: int) -> IndexEntry:
    """A run a day."""
    began = _START + timedelta(days=number)
    return IndexEntry(run_id_for("smoke", began, str(number)), "PASS", "smoke", None, "demo", utc_text(began))


def files_of(number: int) -> dict[str, bytes]:
    """A bundle's files, different for each run, with samples that must not be published."""
    return {
        _SUMMARY: f"# ✅ PASS: run {number}\n".encode(),
        _REPORT: json.dumps({"run": number}).encode(),
        "verdict.json": json.dumps({"verdict": "PASS", "run": number}).encode(),
        "locust_results.html": f"<p>{number}</p>".encode(),
        "load_test_plot.png": b"\x89PNG" + bytes([number]),
        "manifest.json": b"{}",
        "samples.parquet": b"rows",
    }


def claims(say: Say) -> Iterator[Claim]:
    """One history for all claims."""
    with github_service() as github:
        forced = _forced_moves(github)
        publisher, beside = Publisher(github), Publisher(github)
        middle = PUBLICATIONS + 1
        _before(github, "git/create-ref", 1, lambda: _write(github.git, FOREIGN, b"loadtests.example"))
        # The other publication is of the latest run, and comes between reading the head and moving it.
        _before(github, "git/update-ref", MIDDLE, lambda: beside.publish(middle))
        for number in range(1, PUBLICATIONS + 1):
            if number % 10 == 0:
                say(f"publication {number} of {PUBLICATIONS}")
            publisher.publish(number)
        numbers = sorted([*range(1, PUBLICATIONS + 1), middle], reverse=True)[:MOST_RUNS]
        yield _lost(github.git, numbers)
        yield _index(github.git, numbers)
        yield _history(github, forced)
        yield _cost(publisher, beside)
        yield Claim(
            NAME,
            "requests and answers that break GitHub's description",
            "0",
            str(len(github.faults)),
            not github.faults,
        )


def _before(github: GitHubService, wanted: str, which: int, act: Callable[[], object]) -> None:
    """Let `act` happen before the request of that number of the wanted operation."""
    look_up, left = github.trouble, itertools.count(1)

    def first(operation: str) -> Trouble:
        if operation == wanted and next(left) == which:
            act()
        return look_up(operation)

    github.trouble = first  # type: ignore[method-assign]


def _forced_moves(github: GitHubService) -> list[str]:
    """Fills with each move of a branch that was asked for by force."""
    move, forced = github.git.move_ref, list[str]()

    def moved(name: str, sha: str, *, force: bool = False) -> None:
        if force:
            forced.append(sha)
        move(name, sha, force=force)

    github.git.move_ref = moved  # type: ignore[method-assign]
    return forced


def _write(git: GitStore, path: str, content: bytes) -> None:
    """Another writer makes the branch, with a file of its own."""
    tree = git.add_tree([{"path": path, "mode": "100644", "type": "blob", "content": content.decode()}])
    git.add_ref(f"refs/heads/{BRANCH}", git.add_commit(tree, [], "Another writer"))


def _lost(git: GitStore, numbers: list[int]) -> Claim:
    content = git.content(BRANCH)
    published = {
        f"{SITE}/{entry_of(number).run_id}/{name}": raw
        for number in numbers
        for name, raw in files_of(number).items()
        if name not in (_SUMMARY, "manifest.json", "samples.parquet")
    }
    pages = {posixpath.join(SITE, entry_of(number).run_id, "index.html") for number in numbers}
    expected = {*published, *pages, FOREIGN, ".nojekyll", f"{SITE}/index.html", f"{SITE}/index.json"}
    wrong = [path for path, raw in published.items() if content.get(path) != raw]
    missing, extra = expected - set(content), set(content) - expected
    return Claim(
        NAME,
        f"{PUBLICATIONS} publications, another writer at the branch's creation, another publication in the middle: "
        f"files of the latest {MOST_RUNS} runs that are missing or wrong; files that should not be there; "
        "the other writer's file",
        "0, 0, kept",
        f"{len(wrong) + len(missing)} of {len(published) + len(pages)}, {len(extra)}, "
        f"{'kept' if content.get(FOREIGN) else 'lost'}",
        not (wrong or missing or extra),
    )


def _index(git: GitStore, numbers: list[int]) -> Claim:
    content, expected = git.content(BRANCH), [entry_of(number).run_id for number in numbers]
    listed: list[Any] = []
    with suppress(ValueError, KeyError, TypeError):
        listed = [line["run_id"] for line in json.loads(content[f"{SITE}/index.json"])["runs"]]
    linked = re.findall(r'href="([a-z0-9_-]+)/"', content[f"{SITE}/index.html"].decode())
    return Claim(
        NAME,
        "index.json and index.html: runs in them, the latest first",
        f"{MOST_RUNS} in order, {MOST_RUNS} in order",
        ", ".join(f"{len(one)} {'in order' if one == expected else 'wrong'}" for one in (listed, linked)),
        listed == linked == expected,
    )


def _history(github: GitHubService, forced: list[str]) -> Claim:
    history = github.git.history(BRANCH)
    parents = Counter(len(github.git.commits[sha].parents) for sha in history)
    commits = PUBLICATIONS + 2
    return Claim(
        NAME,
        "commits of the branch by their number of parents (a first one, the others on top); moves by force",
        f"{{0: 1, 1: {commits - 1}}}, 0",
        f"{dict(sorted(parents.items()))}, {len(forced)}",
        parents == {0: 1, 1: commits - 1} and not forced,
    )


def _cost(publisher: Publisher, beside: Publisher) -> Claim:
    usual = Counter(publisher.calls).most_common(1)[0][0]
    middle = publisher.calls[MIDDLE - 1] - sum(beside.calls)
    return Claim(
        NAME,
        "calls of a publication; of the first, which lost the race for the branch; of the one with the conflict",
        "10; at most 2 times that",
        f"{usual} ({sum(one == usual for one in publisher.calls)} of {PUBLICATIONS}); {publisher.calls[0]}; {middle}",
        usual == 10 and max(publisher.calls[0], middle) <= 2 * usual,
    )
